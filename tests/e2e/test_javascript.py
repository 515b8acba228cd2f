"""Programs with the JavaScript SDK, run directly against the simulator and through the proxy: same output, and records."""

import json

import pytest

from gembill.model import Operation, Status
from gembill_simulator import Options, Simulator, in_thread
from tests.e2e.javascript import run

QUESTION = "What is the sum of the first 50 prime numbers? Generate and run code for the calculation."
HEAD = (
    'import { GoogleGenAI } from "@google/genai";\nconst ai = new GoogleGenAI({});\nconst question = %s;\n'
    % json.dumps(QUESTION)
)
UNARY = (
    HEAD
    + """
const answer = await ai.models.generateContent({
  model: "gemini-3-flash-preview", contents: question, config: { tools: [{ codeExecution: {} }] } });
for (const part of answer.candidates[0].content.parts) {
  if (part.text) console.log(part.text);
  if (part.executableCode) console.log(part.executableCode.code);
  if (part.codeExecutionResult) console.log(part.codeExecutionResult.output);
}
console.log(answer.usageMetadata.totalTokenCount);
"""
)
STREAM = (
    HEAD
    + """
const stream = await ai.models.generateContentStream({
  model: "gemini-2.5-flash", contents: question, config: { tools: [{ codeExecution: {} }] } });
let total;
for await (const chunk of stream) {
  for (const part of chunk.candidates[0].content.parts) console.log(JSON.stringify(part));
  total = chunk.usageMetadata.totalTokenCount;
}
console.log(total);
"""
)
CHAT = (
    HEAD
    + """
const chat = ai.chats.create({ model: "gemini-2.5-flash", config: { tools: [{ codeExecution: {} }] } });
console.log((await chat.sendMessage({ message: "I have a math question for you." })).text);
const answer = await chat.sendMessage({ message: question });
console.log(answer.text);
console.log(answer.usageMetadata.totalTokenCount);
"""
)
INTERACTION = (
    HEAD
    + """
const answer = await ai.interactions.create({
  model: "gemini-3-flash-preview", input: question, tools: [{ type: "code_execution" }] });
for (const step of answer.steps) {
  if (step.type === "model_output") for (const content of step.content) console.log(content.text);
  if (step.type === "code_execution_call") console.log(step.arguments.code);
  if (step.type === "code_execution_result") console.log(step.result);
}
const read = await ai.interactions.get(answer.id);
if (read.usage.total_tokens !== answer.usage.total_tokens) throw new Error("the usage changed");
console.log(answer.status, answer.usage.total_tokens);
"""
)
INTERACTION_STREAM = (
    HEAD
    + """
const stream = await ai.interactions.create({
  model: "gemini-2.5-flash", input: question, tools: [{ type: "code_execution" }], stream: true });
let total;
for await (const event of stream) {
  console.log(event.event_type, event.delta ? JSON.stringify(event.delta) : "");
  if (event.event_type === "interaction.completed") total = event.interaction.usage.total_tokens;
}
console.log(total);
"""
)
INTERACTION_TURNS = (
    HEAD
    + """
const first = await ai.interactions.create({ model: "gemini-3-flash-preview", input: "Good morning" });
const second = await ai.interactions.create({
  model: "gemini-3-flash-preview", input: question, previous_interaction_id: first.id,
  tools: [{ type: "code_execution" }] });
console.log(first.output_text, second.output_text, second.usage.total_input_tokens);
console.log(second.usage.total_tokens);
"""
)
UPLOAD = (
    HEAD
    + """
const hosts = new Set(), fetched = globalThis.fetch;
globalThis.fetch = (target, options) => { hosts.add(new URL(target.url ?? target).host); return fetched(target, options); };
const data = new Uint8Array(9 * 1024 * 1024).fill(7);
const file = await ai.files.upload({ file: new Blob([data], { type: "image/png" }), config: { mimeType: "image/png" } });
console.log(file.sizeBytes, file.sha256Hash);
const answer = await ai.models.generateContent({
  model: "gemini-2.5-flash",
  contents: [{ role: "user", parts: [{ fileData: { fileUri: file.uri, mimeType: "image/png" } }, { text: "Hello" }] }] });
console.log(hosts.size, answer.usageMetadata.promptTokenCount, answer.usageMetadata.totalTokenCount);
"""
)


@pytest.mark.parametrize(("program", "calls"), [(UNARY, 1), (STREAM, 1), (CHAT, 2)], ids=["unary", "stream", "chat"])
def test_a_javascript_program_prints_the_same_with_and_without_the_proxy(program, calls, recording, tmp_path):
    with in_thread(Simulator(Options(seed=3))) as upstream:
        direct = run(program, upstream.url, tmp_path)
        with (proxy := recording(upstream.url)).running():
            through = run(program, proxy.url, tmp_path)
    assert through == direct
    stored = proxy.records()
    assert [s.record.status for s in stored] == [Status.COMPLETE] * calls
    assert all(s.record.declared for s in stored)
    newest = stored[0].record
    assert newest.tokens.total == int(through.split()[-1])
    assert (newest.tokens.intermediate or 0) > 0
    assert newest.executions
    assert len({s.conversation_id for s in stored}) == 1


@pytest.mark.parametrize(
    ("program", "calls"),
    [(INTERACTION, 1), (INTERACTION_STREAM, 1), (INTERACTION_TURNS, 2)],
    ids=["unary", "stream", "turns"],
)
def test_a_javascript_program_of_interactions_prints_the_same_with_and_without_the_proxy(
    program, calls, recording, tmp_path
):
    with in_thread(Simulator(Options(seed=3))) as upstream:
        direct = run(program, upstream.url, tmp_path)
        with (proxy := recording(upstream.url)).running():
            through = run(program, proxy.url, tmp_path)
        served = list(upstream.served)[calls:]
    assert through == direct
    stored = proxy.records()[::-1]
    assert [s.record.operation for s in stored] == [Operation.INTERACTIONS] * calls
    assert [s.record.status for s in stored] == [Status.COMPLETE] * calls
    assert [s.record.response_id for s in stored] == [one.response_id for one in served]
    assert [s.record.tokens.total for s in stored] == [one.usage["total_tokens"] for one in served]
    last = stored[-1].record
    assert last.tokens.total == int(through.split()[-1])
    assert last.declared
    assert last.executions
    assert (last.tokens.intermediate or 0) > 0
    assert [s.conversation_id for s in stored] == ([stored[0].record.response_id] * calls if calls > 1 else [None])


def test_a_javascript_upload_goes_through_the_proxy_whole(recording, tmp_path):
    with in_thread(Simulator(Options(seed=3))) as upstream:
        direct = run(UPLOAD, upstream.url, tmp_path)
        with (proxy := recording(upstream.url)).running():
            through = run(UPLOAD, proxy.url, tmp_path)
    assert through == direct
    assert through.split()[2] == "1", "all of it went to one host"
    (stored,) = proxy.records()
    assert stored.record.status is Status.COMPLETE
    assert stored.record.tokens.total == int(through.split()[-1])

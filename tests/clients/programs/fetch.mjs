// fetch: one answer, one stream
const headers = { "content-type": "application/json", "x-goog-api-key": "an-ordinary-key" };
const contents = [{ parts: [{ text: "Compute the sum of the first 50 prime numbers." }] }];
const body = JSON.stringify({ contents, tools: [{ codeExecution: {} }] });
const model = `${process.env.BASE}/v1beta/models/gemini-2.5-flash`;
for (const verb of [":generateContent", ":streamGenerateContent?alt=sse"]) {
  const answer = await fetch(model + verb, { method: "POST", headers, body });
  const text = await answer.text();
  console.log(answer.status, text.match(/"text": ?"[^"]*"/g).join("\n"));
}

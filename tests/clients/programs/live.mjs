// @google/genai, a session of the Live API: two turns in text
import { GoogleGenAI, Modality } from "@google/genai";

const ai = new GoogleGenAI({});
let done;
const session = await ai.live.connect({
  model: "gemini-live-2.5-flash-preview",
  config: { responseModalities: [Modality.TEXT], tools: [{ codeExecution: {} }] },
  callbacks: {
    onmessage(message) {
      for (const part of message.serverContent?.modelTurn?.parts ?? []) console.log(part.text ?? part.executableCode?.code);
      if (message.serverContent?.turnComplete) done(message.usageMetadata.totalTokenCount);
    },
  },
});
for (const turns of ["Good morning", "Compute the sum of the first 50 prime numbers."]) {
  const counted = new Promise((resolve) => { done = resolve; });
  session.sendClientContent({ turns, turnComplete: true });
  console.log(await counted);
}
session.close();

// Genkit: one answer, one stream
import { googleAI } from "@genkit-ai/google-genai";
import { genkit } from "genkit";

const ai = genkit({ plugins: [googleAI({ baseUrl: process.env.BASE })] });
const asked = { model: googleAI.model("gemini-2.5-flash"), prompt: "Compute the sum of the first 50 prime numbers." };
console.log((await ai.generate(asked)).text);
for await (const chunk of ai.generateStream(asked).stream) console.log(chunk.text);

// Vercel AI SDK: one answer, one stream
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { generateText, streamText } from "ai";

const google = createGoogleGenerativeAI({ baseURL: process.env.BASE + "/v1beta", apiKey: "an-ordinary-key" });
const asked = { model: google("gemini-2.5-flash"), prompt: "Compute the sum of the first 50 prime numbers." };
console.log((await generateText(asked)).text);
for await (const text of streamText(asked).textStream) console.log(text);

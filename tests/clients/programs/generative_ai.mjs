// @google/generative-ai, the SDK before @google/genai: one answer, one stream
import { GoogleGenerativeAI } from "@google/generative-ai";

const ai = new GoogleGenerativeAI("an-ordinary-key");
const model = ai.getGenerativeModel(
  { model: "gemini-2.5-flash", tools: [{ codeExecution: {} }] }, { baseUrl: process.env.BASE });
const question = "Compute the sum of the first 50 prime numbers.";
console.log((await model.generateContent(question)).response.text());
for await (const chunk of (await model.generateContentStream(question)).stream) console.log(chunk.text());

// @google/genai: one answer, one stream, a chat of two turns
import { GoogleGenAI } from "@google/genai";

const ai = new GoogleGenAI({});
const question = "Compute the sum of the first 50 prime numbers.";
const config = { tools: [{ codeExecution: {} }] };
const asked = { model: "gemini-2.5-flash", contents: question, config };
console.log((await ai.models.generateContent(asked)).text);
for await (const chunk of await ai.models.generateContentStream(asked)) console.log(chunk.text);
const chat = ai.chats.create({ model: "gemini-2.5-flash", config });
console.log((await chat.sendMessage({ message: "Good morning" })).text);
console.log((await chat.sendMessage({ message: question })).text);

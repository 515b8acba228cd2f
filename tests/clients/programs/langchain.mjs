// LangChain.js: one answer, one stream
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";

const model = new ChatGoogleGenerativeAI({ model: "gemini-2.5-flash", baseUrl: process.env.BASE });
const question = "Compute the sum of the first 50 prime numbers.";
console.log((await model.invoke(question)).text);
for await (const chunk of await model.stream(question)) console.log(chunk.text);

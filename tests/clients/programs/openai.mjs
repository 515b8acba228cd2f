// OpenAI's SDK: one completion, one stream
import OpenAI from "openai";

const client = new OpenAI();
const messages = [{ role: "user", content: "Compute the sum of the first 50 prime numbers." }];
const asked = { model: "gemini-2.5-flash", messages };
console.log((await client.chat.completions.create(asked)).choices[0].message.content);
for await (const chunk of await client.chat.completions.create({ ...asked, stream: true }))
  console.log(chunk.choices[0]?.delta?.content);

// google.golang.org/genai: one answer, one stream
package main

import (
	"context"
	"fmt"

	"google.golang.org/genai"
)

func main() {
	ctx := context.Background()
	client, err := genai.NewClient(ctx, nil)
	if err != nil {
		panic(err)
	}
	config := &genai.GenerateContentConfig{Tools: []*genai.Tool{{CodeExecution: &genai.ToolCodeExecution{}}}}
	question := genai.Text("Compute the sum of the first 50 prime numbers.")
	answer, err := client.Models.GenerateContent(ctx, "gemini-2.5-flash", question, config)
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Text())
	for chunk, err := range client.Models.GenerateContentStream(ctx, "gemini-2.5-flash", question, config) {
		if err != nil {
			panic(err)
		}
		fmt.Println(chunk.Text())
	}
}

// Go's net/http: one answer, one stream
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
)

func main() {
	body := `{"contents": [{"parts": [{"text": "Compute the sum of the first 50 prime numbers."}]}], "tools": [{"codeExecution": {}}]}`
	texts := regexp.MustCompile(`"text": ?"[^"]*"`)
	for _, verb := range []string{":generateContent", ":streamGenerateContent?alt=sse"} {
		request, _ := http.NewRequest("POST", os.Getenv("BASE")+"/v1beta/models/gemini-2.5-flash"+verb, strings.NewReader(body))
		request.Header.Set("x-goog-api-key", "an-ordinary-key")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		text, _ := io.ReadAll(answer.Body)
		fmt.Println(answer.StatusCode, texts.FindAllString(string(text), -1))
	}
}

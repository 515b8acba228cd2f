# curl: one answer, one stream
for verb in ":generateContent" ":streamGenerateContent?alt=sse"; do
  curl -sS --fail-with-body "$BASE/v1beta/models/gemini-2.5-flash$verb" -H "x-goog-api-key: an-ordinary-key" \
    -H 'content-type: application/json' \
    -d '{"tools": [{"code_execution": {}}], "contents": {"parts": {"text": "Compute the sum of the first 50 primes."}},}' |
    grep -o '"text": *"[^"]*"'
done

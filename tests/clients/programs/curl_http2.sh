# curl that offers HTTP/2: one answer
curl -sS --http2 --fail-with-body "$BASE/v1beta/models/gemini-2.5-flash:generateContent" -H "x-goog-api-key: an-ordinary-key" \
  -H 'content-type: application/json' -d '{"contents": [{"parts": [{"text": "Good morning"}]}]}' | grep -o '"text": *"[^"]*"'

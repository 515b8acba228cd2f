// Java's HttpClient with its defaults, which offer HTTP/2 with every request: a sized body and a chunked one
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.*;
import java.util.regex.*;

public class Calls {
  static final String BODY = "{\"contents\": [{\"parts\": [{\"text\": \"Compute the sum of the first 50 prime numbers.\"}]}]}";

  public static void main(String[] words) throws Exception {
    byte[] body = BODY.getBytes();
    URI target = URI.create(System.getenv("BASE") + "/v1beta/models/gemini-2.5-flash:generateContent");
    HttpClient client = HttpClient.newHttpClient();
    BodyPublisher chunked = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
    for (BodyPublisher each : new BodyPublisher[] {BodyPublishers.ofByteArray(body), chunked}) {
      HttpRequest request = HttpRequest.newBuilder(target).header("x-goog-api-key", "an-ordinary-key").POST(each).build();
      HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      Matcher total = Pattern.compile("\"totalTokenCount\": ?(\\d+)").matcher(answer.body());
      System.out.println(answer.statusCode() + " " + (total.find() ? total.group(1) : answer.body()));
    }
  }
}

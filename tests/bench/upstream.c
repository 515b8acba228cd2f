/* The API behind the contestants of `make bench`: upstream PORT ANSWER EVENTS
 *
 * Owns: three answers. A path with "gap" gets the events of the file EVENTS one by one, GAP_NS apart; one with "stream"
 * gets all of them in one write; any other gets the file ANSWER, with a number of its own in place of 16 zeros, so that
 * a call can be found again. One thread, epoll. Not here: chunked requests, pipelining, TLS; what breaks these rules is
 * a line on stderr and a closed connection.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, HEAD = 16384, MOST_EVENTS = 256, GAP_NS = 5000000 };
enum kind { JSON, STREAM, GAPS };

static struct connection {
    char head[HEAD];
    size_t head_size; /* bytes of the request's head so far */
    long body_left;   /* bytes of its body still to come */
    enum kind kind;
    int next_event; /* of a stream with gaps under way; 0 otherwise */
    long long due;
} connections[CONNECTIONS];

static char *answer, *digits, *events[MOST_EVENTS + 1];
static size_t answer_size;
static int event_count, epoll, timer, highest, streaming; /* streaming: how many streams with gaps are under way */

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static char *whole_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    char *text = malloc(1 << 20);
    *size = fread(text, 1, (1 << 20) - 1, file);
    text[*size] = 0;
    fclose(file);
    return text;
}

static void prepare(const char *answer_path, const char *events_path) {
    size_t size, head_size;
    char *body = whole_file(answer_path, &size), head[256];
    head_size = sprintf(
        head, "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: %zu\r\n\r\n", size);
    answer_size = head_size + size;
    answer = malloc(answer_size + 1);
    memcpy(answer, head, head_size);
    memcpy(answer + head_size, body, size + 1);
    digits = strstr(answer, "0000000000000000");
    char *rest = whole_file(events_path, &size);
    events[0] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (char *end; event_count < MOST_EVENTS && (end = strstr(rest, "\r\n\r\n")); rest = end + 4) {
        int length = end + 4 - rest;
        if (asprintf(&events[++event_count], "%x\r\n%.*s\r\n", length, length, rest) < 0) fail("memory");
    }
    if (asprintf(&events[event_count], "%s0\r\n\r\n", events[event_count]) < 0 || !digits) fail("the files");
}

static void drop(int fd, const char *why) {
    if (why) fprintf(stderr, "upstream: %s\n", why);
    if (connections[fd].next_event) streaming--;
    connections[fd].next_event = 0;
    close(fd);
}

static void send_all(int fd, const char *text, size_t size) {
    if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size) drop(fd, errno == EPIPE ? NULL : "a short write");
}

static void send_events(int fd) {
    char text[1 << 16];
    size_t size = 0;
    for (int n = 0; n <= event_count; n++) {
        size_t length = strlen(events[n]);
        memcpy(text + size, events[n], length);
        size += length;
    }
    send_all(fd, text, size);
}

static void send_next_event(int fd, long long now) {
    struct connection *c = &connections[fd];
    char *event = events[c->next_event++];
    c->due = now + GAP_NS;
    if (c->next_event > event_count) c->next_event = 0, streaming--;
    send_all(fd, event, strlen(event));
}

static void begin_gaps(int fd) {
    send_all(fd, events[0], strlen(events[0]));
    connections[fd].next_event = 1;
    streaming++;
    send_next_event(fd, now_ns());
    timerfd_settime(timer, 0, &(struct itimerspec){{0, GAP_NS / 10}, {0, GAP_NS / 10}}, NULL);
}

static void tick(void) {
    long long now = now_ns();
    if (!streaming) timerfd_settime(timer, 0, &(struct itimerspec){0}, NULL);
    for (int fd = 0; streaming && fd <= highest; fd++)
        if (connections[fd].next_event && connections[fd].due <= now) send_next_event(fd, now);
}

static void reply(int fd) {
    static unsigned long long number;
    char text[17];
    struct connection *c = &connections[fd];
    c->head_size = 0;
    if (c->kind == STREAM) return send_events(fd);
    if (c->kind == GAPS) return begin_gaps(fd);
    snprintf(text, sizeof text, "%016llu", ++number);
    memcpy(digits, text, 16);
    send_all(fd, answer, answer_size);
}

static void take(int fd, char *text, long size) {
    struct connection *c = &connections[fd];
    if (c->body_left > 0) {
        c->body_left -= size;
    } else {
        if (c->head_size + size >= HEAD) size = HEAD - 1 - c->head_size; /* the rest belongs to a body: it is counted below */
        memcpy(c->head + c->head_size, text, size);
        c->head[c->head_size += size] = 0;
        char *end = strstr(c->head, "\r\n\r\n"), *length = strcasestr(c->head, "\r\ncontent-length:");
        if (!end) return;
        if (strcasestr(c->head, "\r\ntransfer-encoding:")) return drop(fd, "a chunked request");
        c->kind = strstr(c->head, "gap") ? GAPS : strstr(c->head, "stream") ? STREAM : JSON;
        c->body_left = (length ? atol(length + 17) : 0) - (c->head + c->head_size - end - 4);
    }
    if (c->body_left == 0) reply(fd);
    if (c->body_left < 0) drop(fd, "more than one request at once");
}

static void receive(int fd) {
    static char text[1 << 18];
    struct connection *c = &connections[fd];
    long room = c->body_left > 0 ? (long)sizeof text : (long)(HEAD - 1 - c->head_size);
    long size = recv(fd, text, room, 0);
    if (size > 0) return take(fd, text, size);
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) drop(fd, NULL);
}

static void welcome(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), one = 1;
    if (fd < 0) return;
    if (fd >= CONNECTIONS) return (void)close(fd);
    if (fd > highest) highest = fd;
    memset(&connections[fd], 0, sizeof connections[fd]);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){EPOLLIN, {.fd = fd}});
}

int main(int count, char **arguments) {
    if (count != 4) return fputs("upstream PORT ANSWER EVENTS\n", stderr), 2;
    prepare(arguments[2], arguments[3]);
    struct sockaddr_in address = {AF_INET, htons(atoi(arguments[1])), {htonl(INADDR_LOOPBACK)}, {0}};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) fail("listen");
    epoll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){EPOLLIN, {.fd = listener}});
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &(struct epoll_event){EPOLLIN, {.fd = timer}});
    for (struct epoll_event ready[256];;) {
        int number = epoll_wait(epoll, ready, 256, -1);
        for (int n = 0; n < number; n++) {
            int fd = ready[n].data.fd;
            unsigned long long ticks;
            if (fd == listener) welcome(listener);
            else if (fd != timer) receive(fd);
            else if (read(timer, &ticks, sizeof ticks) > 0) tick();
        }
    }
}

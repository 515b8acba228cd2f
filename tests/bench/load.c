/* The callers of `make bench`: load PORT PATH BODY LENGTH CONNECTIONS SECONDS RATE [IDS]
 *
 * Owns: kept-alive connections that POST the file BODY to PATH on loopback and check that each answer is 200 and has
 * LENGTH bytes after the chunks are taken apart. With RATE 0 each connection calls again as soon as it was answered;
 * else RATE calls a second begin by the clock, and what waits for a free connection counts as latency. The result is one
 * line of JSON with times in microseconds. IDS is a file for the responseId of each call that was answered in full.
 * One thread, epoll. Not here: TLS, redirects. A broken connection is an error and is opened again while that works.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 16384, GRACE_NS = 2000000000 };
enum state { IDLE, READING_HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, DEAD };

struct connection {
    int fd, status;
    enum state state;
    size_t sent, head_size;
    long left, length; /* bytes of the body or chunk to come; bytes of content so far */
    long long began, first;
    char head[HEAD], line[64];
    size_t line_size;
};

static struct connection *connections;
static int epoll, width, alive;
static long port, expected, errors, reconnects, begun;
static long long started, end;
static double rate;
static char *request;
static size_t request_size;
static FILE *ids;
static struct series {
    unsigned *values;
    size_t count, room;
} latencies, firsts;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note(struct series *s, long long ns) {
    if (s->count == s->room && !(s->values = realloc(s->values, (s->room = s->room * 2 + 1024) * sizeof(unsigned)))) fail("memory");
    s->values[s->count++] = ns / 1000;
}

static void prepare(const char *path, const char *body_path) {
    FILE *file = fopen(body_path, "rb");
    if (!file) fail(body_path);
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file);
    rewind(file);
    request = malloc(size + 1024);
    request_size = sprintf(request,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\nAccept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: gembill-bench\r\n"
        "x-goog-api-key: bench-key-0123456789\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", path, port, size);
    request_size += fread(request + request_size, 1, size, file);
    fclose(file);
}

static void dial(struct connection *c) {
    struct sockaddr_in address = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) {
        close(c->fd);
        c->state = DEAD;
        alive--;
        return;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = IDLE;
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){EPOLLIN, {.u32 = c - connections}});
}

static void redial(struct connection *c) {
    if (c->state == IDLE) reconnects++; /* kept alive no longer: the server's right */
    else errors++;
    close(c->fd);
    dial(c);
}

static void push(struct connection *c) {
    ssize_t size = send(c->fd, request + c->sent, request_size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size > 0) c->sent += size;
    int more = c->sent < request_size;
    if (more || request_size > 65536)
        epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){more ? EPOLLIN | EPOLLOUT : EPOLLIN, {.u32 = c - connections}});
}

static void begin(struct connection *c, long long when) {
    c->state = READING_HEAD;
    c->sent = c->head_size = c->line_size = 0;
    c->length = 0;
    c->began = when;
    c->first = 0;
    begun++;
    push(c);
}

/* Begins what is due: the next call of this connection, or the one whose time has come. */
static void next(struct connection *c) {
    long long now = now_ns();
    if (now >= end || c->state != IDLE) return;
    if (rate == 0) return begin(c, now);
    long long due = started + (long long)(begun * 1e9 / rate);
    if (due <= now) begin(c, due);
}

static void done(struct connection *c) {
    long long now = now_ns();
    if (c->status != 200 || c->length != expected) {
        if (errors++ < 3) fprintf(stderr, "load: status %d, %ld bytes of %ld\n", c->status, c->length, expected);
    } else {
        note(&latencies, now - c->began);
        note(&firsts, c->first - c->began);
        char *id = ids ? memmem(c->head, c->head_size, "\"responseId\": \"", 15) : NULL;
        if (id) fprintf(ids, "%.16s\n", id + 15);
    }
    c->state = IDLE;
    next(c);
}

static void read_head(struct connection *c) {
    char *length = strcasestr(c->head, "\r\ncontent-length:"), *stop = strstr(c->head, "\r\n\r\n");
    c->status = atoi(c->head + 9);
    c->state = BODY;
    if (length && length < stop) c->left = atol(length + 17);
    else if (strcasestr(c->head, "\r\ntransfer-encoding: chunked")) c->state = CHUNK_SIZE;
    else fprintf(stderr, "load: an answer without a length\n"), exit(1);
}

/* One byte of a line between chunks; the states are those of RFC 9112, section 7.1. */
static void take_line(struct connection *c, char byte) {
    if (byte != '\n') {
        if (c->line_size < sizeof c->line - 1) c->line[c->line_size++] = byte;
        return;
    }
    c->line[c->line_size] = 0;
    int empty = c->line_size <= 1;
    c->line_size = 0;
    if (c->state == CHUNK_END) c->state = CHUNK_SIZE;
    else if (c->state == CHUNK_SIZE) c->state = (c->left = strtol(c->line, NULL, 16)) ? CHUNK : TRAILER;
    else if (empty) done(c);
}

static size_t take_content(struct connection *c, const char *text, size_t size) {
    size_t part = size < (size_t)c->left ? size : (size_t)c->left;
    if (part && !c->first) c->first = now_ns();
    if (ids && c->head_size + part < HEAD) memcpy(c->head + c->head_size, text, part), c->head_size += part;
    c->left -= part;
    c->length += part;
    if (c->left == 0) {
        if (c->state == CHUNK) c->state = CHUNK_END;
        else done(c);
    }
    return part;
}

static size_t take_head(struct connection *c, const char *text, size_t size) {
    size_t part = size < HEAD - 1 - c->head_size ? size : HEAD - 1 - c->head_size, before = c->head_size;
    memcpy(c->head + before, text, part);
    c->head[before + part] = 0;
    char *stop = strstr(c->head, "\r\n\r\n");
    c->head_size += part;
    if (!stop) return part;
    c->head_size = stop + 4 - c->head;
    stop[4] = 0;
    read_head(c);
    return c->head_size - before;
}

static void take(struct connection *c, const char *text, size_t size) {
    while (size && c->state != IDLE) {
        size_t used = 1;
        if (c->state == READING_HEAD) used = take_head(c, text, size);
        else if (c->state == BODY || c->state == CHUNK) used = take_content(c, text, size);
        else take_line(c, *text);
        text += used, size -= used;
    }
}

static void receive(struct connection *c) {
    static char text[1 << 16];
    ssize_t size = recv(c->fd, text, sizeof text, MSG_DONTWAIT);
    if (size > 0) return take(c, text, size);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    redial(c);
    next(c);
}

static int ascending(const void *a, const void *b) {
    return (*(unsigned *)a > *(unsigned *)b) - (*(unsigned *)a < *(unsigned *)b);
}

static unsigned percentile(struct series *s, double share) {
    return s->count ? s->values[(size_t)(share * (s->count - 1))] : 0;
}

static void report(double seconds) {
    qsort(latencies.values, latencies.count, sizeof(unsigned), ascending);
    qsort(firsts.values, firsts.count, sizeof(unsigned), ascending);
    printf("{\"answered\": %zu, \"errors\": %ld, \"reconnects\": %ld, \"seconds\": %.6f, \"p50\": %u, \"p99\": %u, \"first_p50\": %u}\n",
        latencies.count, errors, reconnects, seconds, percentile(&latencies, 0.5), percentile(&latencies, 0.99), percentile(&firsts, 0.5));
}

static int busy(void) {
    for (int n = 0; n < width; n++)
        if (connections[n].state != IDLE && connections[n].state != DEAD) return 1;
    return 0;
}

static void turn(int timer) {
    struct epoll_event ready[256];
    int number = epoll_wait(epoll, ready, 256, 100);
    for (int n = 0; n < number; n++) {
        unsigned which = ready[n].data.u32;
        unsigned long long ticks;
        if (which == (unsigned)width) {
            if (read(timer, &ticks, sizeof ticks) > 0)
                for (int i = 0; i < width; i++) next(&connections[i]);
            continue;
        }
        if (ready[n].events & EPOLLOUT) push(&connections[which]);
        if (ready[n].events & ~EPOLLOUT) receive(&connections[which]);
    }
}

int main(int count, char **arguments) {
    if (count < 8) return fputs("load PORT PATH BODY LENGTH CONNECTIONS SECONDS RATE [IDS]\n", stderr), 2;
    port = atol(arguments[1]), expected = atol(arguments[4]), alive = width = atoi(arguments[5]), rate = atof(arguments[7]);
    ids = count > 8 ? fopen(arguments[8], "w") : NULL;
    prepare(arguments[2], arguments[3]);
    connections = calloc(width, sizeof *connections);
    epoll = epoll_create1(0);
    for (int n = 0; n < width; n++) dial(&connections[n]);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    long period = rate ? 1e9 / rate : 0;
    timerfd_settime(timer, 0, &(struct itimerspec){{0, period}, {0, period}}, NULL);
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &(struct epoll_event){EPOLLIN, {.u32 = width}});
    started = now_ns();
    end = started + (long long)(atof(arguments[6]) * 1e9);
    for (int n = 0; n < width && rate == 0; n++) next(&connections[n]);
    while (alive && (now_ns() < end || (busy() && now_ns() < end + GRACE_NS))) turn(timer);
    report((now_ns() - started) / 1e9);
    return 0;
}

/*
 * The program of the test images: a small HTTP/1.1 server, one thread, epoll, no dependencies. It starts in about a
 * millisecond, so it is the server of the benchmarks too.
 *
 *   /             a greeting with $TARGET and $K_REVISION       /headers      the request's head as it came
 *   /healthz      ok                                            /pid          the process id
 *   /env          the environment, a line each                  /upload       how many bytes the body had
 *   /stream?n=&ms=  n chunks, ms apart                          /alloc?mb=    takes memory and keeps it
 *   /exit?code=   ends the process                              /crash        ends it by a signal
 *   ?sleep=ms     on any of them: waits before it answers
 *
 * $MODE: ok (default), crash (says "boom", ends with $CRASH_CODE or 1), exit (ends with 0), deaf (never listens),
 * unready (answers 503), loopback (127.0.0.1 only), otherport ($PORT + 1), slowstart (listens after
 * $START_DELAY_MS), ignoreterm (ignores SIGTERM). Otherwise SIGTERM lets requests under way finish and ends with 0.
 * $PORT may be 0: any that is free. $STYLE: what / answers: "hello" (host, request line and target) or "oracle" (hello).
 * Arguments: say WORDS, fail N, cat, lines N (prints and waits), as pods of the kubectl cases run it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAX_HEAD = 64 * 1024, READ_SIZE = 64 * 1024, MAX_EVENTS = 256 };

struct buffer {
	char *bytes;
	size_t length, capacity;
};

enum state { HEAD, BODY, SLEEPING, STREAMING };
enum chunk_state { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER };

struct connection {
	int fd;
	enum state state;
	struct buffer in, out;
	size_t out_done;
	/* the request */
	char method[16], target[4096];
	struct buffer head;
	int keep_alive, is_http10, chunked_body;
	enum chunk_state chunk_state;
	uint64_t body_left, body_size;
	/* what the answer waits for */
	long wake_at; /* ms, 0: nothing */
	size_t heap_at;
	long stream_left, stream_pause, stream_sent;
	int close_when_sent, wants_write;
};

extern char **environ;
static int epoll_fd, listen_fd = -1, draining;
static long open_connections;
static struct connection **connections;
static size_t connection_slots;
/* connections that wait, the earliest first */
static struct connection **heap;
static size_t heap_length, heap_capacity;
static const char *mode, *style;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static const char *env_or(const char *name, const char *fallback)
{
	const char *value = getenv(name);
	return value && *value ? value : fallback;
}

static long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000 };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static void append(struct buffer *b, const void *bytes, size_t length)
{
	if (b->length + length > b->capacity) {
		size_t capacity = b->capacity ? b->capacity : 1024;
		while (capacity < b->length + length)
			capacity *= 2;
		b->bytes = realloc(b->bytes, capacity);
		if (!b->bytes)
			die("realloc");
		b->capacity = capacity;
	}
	memcpy(b->bytes + b->length, bytes, length);
	b->length += length;
}

__attribute__((format(printf, 2, 3))) static void append_text(struct buffer *b, const char *format, ...)
{
	char text[8192];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof text - 1)
		length = sizeof text - 1;
	append(b, text, (size_t)length);
}

static void drop_front(struct buffer *b, size_t length)
{
	memmove(b->bytes, b->bytes + length, b->length - length);
	b->length -= length;
}

static void release(struct buffer *b)
{
	free(b->bytes);
	memset(b, 0, sizeof *b);
}

/* ---- timers ---- */

static void heap_place(size_t at, struct connection *c)
{
	heap[at] = c;
	c->heap_at = at;
}

static void heap_fix(size_t at)
{
	struct connection *c = heap[at];
	while (at > 0 && heap[(at - 1) / 2]->wake_at > c->wake_at) {
		heap_place(at, heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = at * 2 + 1;
		if (child >= heap_length)
			break;
		if (child + 1 < heap_length && heap[child + 1]->wake_at < heap[child]->wake_at)
			child++;
		if (heap[child]->wake_at >= c->wake_at)
			break;
		heap_place(at, heap[child]);
		at = child;
	}
	heap_place(at, c);
}

static void wake_after(struct connection *c, long ms)
{
	c->wake_at = now_ms() + ms;
	if (heap_length == heap_capacity) {
		heap_capacity = heap_capacity ? heap_capacity * 2 : 64;
		heap = realloc(heap, heap_capacity * sizeof *heap);
		if (!heap)
			die("realloc");
	}
	heap_length++;
	heap_place(heap_length - 1, c);
	heap_fix(heap_length - 1);
}

static void wake_never(struct connection *c)
{
	if (!c->wake_at)
		return;
	size_t at = c->heap_at;
	c->wake_at = 0;
	heap_length--;
	if (at == heap_length)
		return;
	heap_place(at, heap[heap_length]);
	heap_fix(at);
}

/* ---- answers ---- */

static void drop_connection(struct connection *c)
{
	wake_never(c);
	connections[c->fd] = NULL;
	open_connections--;
	close(c->fd);
	release(&c->in);
	release(&c->out);
	release(&c->head);
	free(c);
}

static long query_number(const char *target, const char *name, long fallback)
{
	const char *at = strchr(target, '?');
	size_t length = strlen(name);
	while (at) {
		at++;
		if (!strncmp(at, name, length) && at[length] == '=')
			return atol(at + length + 1);
		at = strchr(at, '&');
	}
	return fallback;
}

static int path_is(const struct connection *c, const char *path)
{
	size_t length = strcspn(c->target, "?");
	return strlen(path) == length && !strncmp(c->target, path, length);
}

static void start_answer(struct connection *c, int status, const char *reason)
{
	if (draining || c->is_http10)
		c->keep_alive = c->keep_alive && !draining;
	append_text(&c->out, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n", status, reason);
	if (!c->keep_alive)
		append_text(&c->out, "Connection: close\r\n");
	else if (c->is_http10)
		append_text(&c->out, "Connection: keep-alive\r\n");
}

static void finish_request(struct connection *c)
{
	c->state = HEAD;
	release(&c->head);
	if (!c->keep_alive)
		c->close_when_sent = 1;
}

static void answer(struct connection *c, int status, const char *reason, const char *body, size_t length)
{
	start_answer(c, status, reason);
	append_text(&c->out, "Content-Length: %zu\r\n\r\n", length);
	if (strcmp(c->method, "HEAD"))
		append(&c->out, body, length);
	finish_request(c);
}

static void answer_text(struct connection *c, int status, const char *reason, const char *text)
{
	answer(c, status, reason, text, strlen(text));
}

static void greet(struct connection *c)
{
	char text[8192];
	if (!strcmp(style, "oracle")) {
		answer_text(c, 200, "OK", "hello\n");
		return;
	}
	if (!strcmp(style, "hello")) {
		char host[256] = "";
		gethostname(host, sizeof host - 1);
		snprintf(text, sizeof text, "hello from %s: %s %s %s\n", host, c->method, c->target, env_or("TARGET", ""));
	} else
		snprintf(text, sizeof text, "Hello %s! revision=%s\n", env_or("TARGET", "World"), env_or("K_REVISION", "none"));
	answer_text(c, 200, "OK", text);
}

static void answer_env(struct connection *c)
{
	struct buffer body = { 0 };
	for (char **entry = environ; *entry; entry++) {
		append(&body, *entry, strlen(*entry));
		append(&body, "\n", 1);
	}
	answer(c, 200, "OK", body.bytes ? body.bytes : "", body.length);
	release(&body);
}

static void answer_alloc(struct connection *c)
{
	long mb = query_number(c->target, "mb", 0);
	char *memory = mb > 0 ? malloc((size_t)mb << 20) : NULL;
	if (mb > 0 && !memory) {
		answer_text(c, 500, "Internal Server Error", "no memory\n");
		return;
	}
	/* Touched page by page, so that it is really there; kept on purpose. */
	for (size_t at = 0; memory && at < (size_t)mb << 20; at += 4096)
		*(volatile char *)(memory + at) = 1;
	char text[64];
	snprintf(text, sizeof text, "%ld MB\n", mb);
	answer_text(c, 200, "OK", text);
}

static void start_stream(struct connection *c)
{
	if (c->is_http10)
		c->keep_alive = 0;
	start_answer(c, 200, "OK");
	append_text(&c->out, c->is_http10 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
	c->stream_left = query_number(c->target, "n", 10);
	c->stream_pause = query_number(c->target, "ms", 0);
	c->stream_sent = 0;
	c->state = STREAMING;
	if (!strcmp(c->method, "HEAD"))
		c->stream_left = 0;
}

/* Sends what is due of a stream. */
static void continue_stream(struct connection *c)
{
	while (c->stream_left > 0) {
		char text[64];
		int length = snprintf(text, sizeof text, "chunk %ld\n", ++c->stream_sent);
		if (c->is_http10)
			append(&c->out, text, (size_t)length);
		else
			append_text(&c->out, "%x\r\n%s\r\n", length, text);
		c->stream_left--;
		if (c->stream_left > 0 && c->stream_pause > 0) {
			wake_after(c, c->stream_pause);
			return;
		}
	}
	if (!c->is_http10 && strcmp(c->method, "HEAD"))
		append_text(&c->out, "0\r\n\r\n");
	finish_request(c);
}

static void respond(struct connection *c)
{
	char text[128];
	if (!strcmp(mode, "unready"))
		answer_text(c, 503, "Service Unavailable", "unready\n");
	else if (path_is(c, "/healthz"))
		answer_text(c, 200, "OK", "ok\n");
	else if (path_is(c, "/env"))
		answer_env(c);
	else if (path_is(c, "/headers"))
		answer(c, 200, "OK", c->head.bytes, c->head.length);
	else if (path_is(c, "/pid")) {
		snprintf(text, sizeof text, "%d\n", getpid());
		answer_text(c, 200, "OK", text);
	} else if (path_is(c, "/upload")) {
		snprintf(text, sizeof text, "%llu bytes\n", (unsigned long long)c->body_size);
		answer_text(c, 200, "OK", text);
	} else if (path_is(c, "/alloc"))
		answer_alloc(c);
	else if (path_is(c, "/exit"))
		exit((int)query_number(c->target, "code", 0));
	else if (path_is(c, "/crash"))
		abort();
	else if (path_is(c, "/stream")) {
		start_stream(c);
		continue_stream(c);
	} else
		greet(c);
}

/* ---- requests ---- */

static void refuse(struct connection *c)
{
	c->keep_alive = 0;
	strcpy(c->method, "GET");
	answer_text(c, 400, "Bad Request", "bad request\n");
}

/* The value of a header line if it has that name. */
static const char *header_value(const char *line, const char *name)
{
	size_t length = strlen(name);
	if (strncasecmp(line, name, length) || line[length] != ':')
		return NULL;
	line += length + 1;
	while (*line == ' ' || *line == '\t')
		line++;
	return line;
}

static int parse_head(struct connection *c)
{
	int minor = 1;
	if (sscanf(c->head.bytes, "%15s %4095s HTTP/1.%d", c->method, c->target, &minor) != 3)
		return -1;
	c->is_http10 = minor == 0;
	c->keep_alive = !c->is_http10;
	c->chunked_body = 0;
	c->body_left = c->body_size = 0;
	for (char *line = strstr(c->head.bytes, "\r\n"); line && line[2] != '\r'; line = strstr(line, "\r\n")) {
		line += 2;
		const char *value;
		if ((value = header_value(line, "Content-Length")))
			c->body_left = strtoull(value, NULL, 10);
		else if ((value = header_value(line, "Transfer-Encoding")))
			c->chunked_body = !strncasecmp(value, "chunked", 7);
		else if ((value = header_value(line, "Connection"))) {
			if (!strncasecmp(value, "close", 5))
				c->keep_alive = 0;
			else if (!strncasecmp(value, "keep-alive", 10))
				c->keep_alive = 1;
		} else if ((value = header_value(line, "Expect")) && !strncasecmp(value, "100-continue", 12))
			append_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
	}
	c->chunk_state = CHUNK_SIZE;
	return 0;
}

/* Takes a head off the input; 0 when it is not complete yet. */
static int take_head(struct connection *c)
{
	char *end = c->in.length ? memmem(c->in.bytes, c->in.length, "\r\n\r\n", 4) : NULL;
	if (!end) {
		if (c->in.length > MAX_HEAD)
			refuse(c);
		return 0;
	}
	size_t length = (size_t)(end - c->in.bytes) + 4;
	c->head.length = 0;
	append(&c->head, c->in.bytes, length);
	append(&c->head, "", 1);
	c->head.length--;
	drop_front(&c->in, length);
	if (parse_head(c) < 0) {
		refuse(c);
		return 0;
	}
	c->state = BODY;
	return 1;
}

static size_t take_body_bytes(struct connection *c)
{
	size_t taken = c->body_left < c->in.length ? (size_t)c->body_left : c->in.length;
	c->body_left -= taken;
	c->body_size += taken;
	drop_front(&c->in, taken);
	return taken;
}

/* One line of a chunked body; NULL when it is not complete. */
static char *take_line(struct connection *c, char *line, size_t size)
{
	char *end = c->in.length ? memmem(c->in.bytes, c->in.length, "\r\n", 2) : NULL;
	if (!end)
		return NULL;
	size_t length = (size_t)(end - c->in.bytes);
	size_t kept = length < size - 1 ? length : size - 1;
	memcpy(line, c->in.bytes, kept);
	line[kept] = 0;
	drop_front(&c->in, length + 2);
	return line;
}

/* 1 when the body is complete. */
static int take_body(struct connection *c)
{
	char line[256];
	if (!c->chunked_body) {
		take_body_bytes(c);
		return c->body_left == 0;
	}
	for (;;) {
		if (c->chunk_state == CHUNK_DATA) {
			take_body_bytes(c);
			if (c->body_left > 0)
				return 0;
			c->chunk_state = CHUNK_END;
		}
		if (!take_line(c, line, sizeof line))
			return 0;
		if (c->chunk_state == CHUNK_END)
			c->chunk_state = CHUNK_SIZE;
		else if (c->chunk_state == CHUNK_TRAILER) {
			if (!*line)
				return 1;
		} else {
			c->body_left = strtoull(line, NULL, 16);
			c->chunk_state = c->body_left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
		}
	}
}

/* As many requests as are there, one after the other: the next is not looked at before this one is answered. */
static void advance(struct connection *c)
{
	while (!c->close_when_sent) {
		if (c->state == HEAD && !take_head(c))
			return;
		if (c->state != BODY || !take_body(c))
			return;
		long pause = query_number(c->target, "sleep", 0);
		if (pause > 0) {
			c->state = SLEEPING;
			wake_after(c, pause);
			return;
		}
		respond(c);
	}
}

/* ---- the loop ---- */

static void watch(struct connection *c, int wants_write)
{
	if (c->wants_write == wants_write)
		return;
	struct epoll_event event = { .events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.fd = c->fd };
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
	c->wants_write = wants_write;
}

/* Writes what can be written; 0 when the connection is gone. */
static int flush(struct connection *c)
{
	while (c->out_done < c->out.length) {
		ssize_t sent = send(c->fd, c->out.bytes + c->out_done, c->out.length - c->out_done, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			watch(c, 1);
			return 1;
		}
		if (sent < 0) {
			drop_connection(c);
			return 0;
		}
		c->out_done += (size_t)sent;
	}
	c->out.length = c->out_done = 0;
	watch(c, 0);
	if (c->close_when_sent || (draining && c->state == HEAD)) {
		drop_connection(c);
		return 0;
	}
	return 1;
}

static void read_some(struct connection *c)
{
	static char bytes[READ_SIZE];
	ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		drop_connection(c);
		return;
	}
	append(&c->in, bytes, (size_t)got);
	advance(c);
	flush(c);
}

static void accept_all(void)
{
	for (;;) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		int on = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if ((size_t)fd >= connection_slots) {
			size_t slots = connection_slots ? connection_slots : 64;
			while (slots <= (size_t)fd)
				slots *= 2;
			connections = realloc(connections, slots * sizeof *connections);
			if (!connections)
				die("realloc");
			memset(connections + connection_slots, 0, (slots - connection_slots) * sizeof *connections);
			connection_slots = slots;
		}
		struct connection *c = calloc(1, sizeof *c);
		if (!c)
			die("calloc");
		c->fd = fd;
		connections[fd] = c;
		open_connections++;
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
	}
}

static void wake_due(void)
{
	long now = now_ms();
	while (heap_length > 0 && heap[0]->wake_at <= now) {
		struct connection *c = heap[0];
		wake_never(c);
		if (c->state == STREAMING)
			continue_stream(c);
		else
			respond(c);
		advance(c);
		flush(c);
	}
}

static void start_draining(void)
{
	draining = 1;
	close(listen_fd);
	listen_fd = -1;
	for (size_t fd = 0; fd < connection_slots; fd++) {
		struct connection *c = connections[fd];
		if (c && c->state == HEAD && c->out_done == c->out.length)
			drop_connection(c);
	}
}

static int open_listener(void)
{
	int port = atoi(env_or("PORT", "8080")) + (strcmp(mode, "otherport") ? 0 : 1);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	address.sin_addr.s_addr = htonl(strcmp(mode, "loopback") ? INADDR_ANY : INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		die("bind");
	if (listen(fd, 4096) < 0)
		die("listen");
	socklen_t length = sizeof address;
	getsockname(fd, (struct sockaddr *)&address, &length);
	printf("listening on %d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void serve(void)
{
	struct rlimit limit;
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	sigset_t terms;
	sigemptyset(&terms);
	sigaddset(&terms, SIGTERM);
	sigaddset(&terms, SIGINT);
	sigprocmask(SIG_BLOCK, &terms, NULL);
	int signal_fd = signalfd(-1, &terms, SFD_NONBLOCK | SFD_CLOEXEC);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = signal_fd };
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, signal_fd, &event);
	if (!strcmp(mode, "slowstart"))
		sleep_ms(atol(env_or("START_DELAY_MS", "2000")));
	if (strcmp(mode, "deaf")) {
		listen_fd = open_listener();
		event = (struct epoll_event){ .events = EPOLLIN, .data.fd = listen_fd };
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &event);
	}
	struct epoll_event events[MAX_EVENTS];
	while (!draining || open_connections > 0) {
		long pause = heap_length ? heap[0]->wake_at - now_ms() : -1;
		int count = epoll_wait(epoll_fd, events, MAX_EVENTS, heap_length && pause < 0 ? 0 : (int)pause);
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (fd == signal_fd) {
				struct signalfd_siginfo info;
				while (read(signal_fd, &info, sizeof info) == sizeof info)
					if (strcmp(mode, "ignoreterm") && !draining)
						start_draining();
			} else if (fd == listen_fd)
				accept_all();
			else if ((size_t)fd < connection_slots && connections[fd]) {
				if (!(events[i].events & EPOLLOUT) || flush(connections[fd]))
					if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
						read_some(connections[fd]);
			}
		}
		wake_due();
	}
}

static int run_command(int argc, char **argv)
{
	if (!strcmp(argv[1], "say")) {
		for (int i = 2; i < argc; i++)
			printf("%s%s", i > 2 ? " " : "", argv[i]);
		printf("\n");
		return 0;
	}
	if (!strcmp(argv[1], "fail")) {
		fprintf(stderr, "failing\n");
		return argc > 2 ? atoi(argv[2]) : 1;
	}
	if (!strcmp(argv[1], "cat")) {
		char bytes[4096];
		for (ssize_t got; (got = read(0, bytes, sizeof bytes)) > 0;)
			if (write(1, bytes, (size_t)got) < 0)
				return 1;
		return 0;
	}
	if (!strcmp(argv[1], "calls")) {
		/* "NUMBER:FIRST" each: a raw system call, and the error that it gives. A child that one makes goes at once. */
		pid_t own = getpid();
		for (int i = 2; i < argc; i++) {
			char *first = strchr(argv[i], ':');
			long failed = syscall(atol(argv[i]), first ? atol(first + 1) : 0, 0, 0, 0, 0, 0) < 0;
			if (getpid() != own)
				_exit(0);
			printf("%s %d\n", argv[i], failed ? errno : 0);
		}
		return 0;
	}
	if (!strcmp(argv[1], "lines")) {
		for (int i = 1; i <= (argc > 2 ? atoi(argv[2]) : 0); i++)
			printf("line %d\n", i);
		fflush(stdout);
		for (;;)
			pause();
	}
	fprintf(stderr, "no such command: %s\n", argv[1]);
	return 2;
}

int main(int argc, char **argv)
{
	mode = env_or("MODE", "ok");
	style = env_or("STYLE", "");
	if (argc > 1)
		return run_command(argc, argv);
	if (!strcmp(mode, "crash")) {
		fprintf(stderr, "boom\n");
		return atoi(env_or("CRASH_CODE", "1"));
	}
	if (!strcmp(mode, "exit"))
		return 0;
	serve();
	return 0;
}

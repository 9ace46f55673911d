/*
 * For `cc -DEPMD_KQUEUE -DEPMD_NO_EPOLL -It/kqueue epmd.c`: as much of the BSDs' kqueue(2), over
 * Linux' epoll, as epmd uses, so that its way of waiting there is tried here. As there, a
 * descriptor has an event for reading and one for writing, which its last close takes with it; to
 * delete what is not there is ENOENT; and a queue is of no use to a child.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EV_ADD 1
#define EV_DELETE 2
#define KQUEUE_FDS 65536

struct kevent {
	uintptr_t ident;
	short filter;
	unsigned short flags;
	unsigned fflags;
	intptr_t data;
	void *udata;
};

static pid_t kqueue_owner;
static void *kqueue_data[2][KQUEUE_FDS]; /* of reading, of writing */

static int kqueue(void)
{
	kqueue_owner = getpid();
	return epoll_create1(EPOLL_CLOEXEC);
}

/* Tries epoll's three calls, so that it finds out itself whether a descriptor is still there. */
static int kqueue_change(int queue, const struct kevent *change)
{
	static uint32_t wanted[KQUEUE_FDS];
	const int fd = (int)change->ident;
	const uint32_t bit = change->filter == EVFILT_READ ? EPOLLIN : EPOLLOUT;
	struct epoll_event e = { .events = wanted[fd] };
	int how = EPOLL_CTL_MOD;

	e.data.fd = fd;
	if (epoll_ctl(queue, EPOLL_CTL_MOD, fd, &e) < 0)
		wanted[fd] = 0; /* another descriptor by now */
	if (change->flags == EV_DELETE && !(wanted[fd] & bit)) {
		errno = ENOENT;
		return -1;
	}
	e.events = change->flags == EV_ADD ? wanted[fd] | bit : wanted[fd] & ~bit;
	if (wanted[fd] == 0)
		how = EPOLL_CTL_ADD;
	else if (e.events == 0)
		how = EPOLL_CTL_DEL;
	if (epoll_ctl(queue, how, fd, &e) < 0)
		return -1;
	wanted[fd] = e.events;
	kqueue_data[bit == EPOLLOUT][fd] = change->udata;
	return 0;
}

static int kevent(int queue, const struct kevent *change, int changes, struct kevent *ready,
    int room, const struct timespec *wait)
{
	struct epoll_event event[64];
	int k, n, writing;

	(void)wait;
	if (getpid() != kqueue_owner) {
		errno = EBADF;
		return -1;
	}
	for (k = 0; k < changes; k++)
		if (kqueue_change(queue, &change[k]) < 0)
			return -1;
	n = room > 0 ? epoll_wait(queue, event, room < 64 ? room : 64, 0) : 0;
	for (k = 0; k < n; k++) {
		writing = event[k].events == EPOLLOUT;
		ready[k].ident = (uintptr_t)event[k].data.fd;
		ready[k].filter = writing ? EVFILT_WRITE : EVFILT_READ;
		ready[k].udata = kqueue_data[writing][event[k].data.fd];
	}
	return n;
}

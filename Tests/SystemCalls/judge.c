/*
 * Has the kernel of this machine run a program that filters system calls. Standard input: the number of instructions, the
 * instructions, the number of calls, and the calls, each with its number and six arguments. Standard output: the error
 * number of each call. Each return of the program must be one of SECCOMP_RET_ERRNO, so that no call is ever made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct call {
    int64_t number;
    uint64_t arguments[6];
};

/* What the child tells by memory alone: it can make no system call any more. */
struct answers {
    volatile sig_atomic_t installed;
    volatile sig_atomic_t error;
    volatile sig_atomic_t finished;
    uint32_t numbers[];
};

static void fail(const char *what) {
    fprintf(stderr, "judge: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint32_t read_count(uint32_t most) {
    uint32_t count;
    if (fread(&count, sizeof count, 1, stdin) != 1 || count == 0 || count > most) fail("read count");
    return count;
}

static void *read_array(uint32_t count, size_t size) {
    void *array = calloc(count, size);
    if (!array || fread(array, size, count, stdin) != count) fail("read");
    return array;
}

static void answer(struct answers *answers, const struct sock_fprog *program, const struct call *calls,
                   uint32_t count) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0) {
        answers->error = errno;
        _exit(1);
    }
    answers->installed = 1;
    for (uint32_t index = 0; index < count; index++) {
        const struct call *it = &calls[index];
        const uint64_t *with = it->arguments;
        errno = 0;
        syscall(it->number, with[0], with[1], with[2], with[3], with[4], with[5]);
        answers->numbers[index] = (uint32_t)errno;
    }
    answers->finished = 1;
    for (;;) {}
}

int main(void) {
    const uint32_t length = read_count(BPF_MAXINSNS);
    struct sock_filter *instructions = read_array(length, sizeof *instructions);
    const struct sock_fprog program = {.len = (unsigned short)length, .filter = instructions};
    for (uint32_t index = 0; index < length; index++)
        if (BPF_CLASS(instructions[index].code) == BPF_RET &&
            (BPF_RVAL(instructions[index].code) != BPF_K ||
             (instructions[index].k & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)) {
            errno = EINVAL;
            fail("a return that may let a call through");
        }
    const uint32_t count = read_count(1 << 24);
    struct call *calls = read_array(count, sizeof *calls);

    const size_t size = sizeof(struct answers) + count * sizeof(uint32_t);
    struct answers *answers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answers == MAP_FAILED) fail("mmap");
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) answer(answers, &program, calls, count);
    int status = 0;
    while (!answers->finished && waitpid(child, &status, WNOHANG) == 0) usleep(1000);
    if (answers->finished) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    } else {
        errno = answers->error;
        fail(answers->installed ? "ended by itself" : "install the program");
    }
    if (fwrite(answers->numbers, sizeof(uint32_t), count, stdout) != count || fflush(stdout) != 0) fail("write");
    return 0;
}

/* Put before the C library: a connection has come by way of a router that its packets name. */
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int getsockopt(int socket, int level, int option, void *value, socklen_t *length) {
    static const unsigned char route[] = {1, 131, 7, 4, 192, 0, 2, 1}; /* no operation, loose route */
    if (level == IPPROTO_IP && option == IP_OPTIONS && *length >= sizeof route) {
        memcpy(value, route, sizeof route);
        *length = sizeof route;
        return 0;
    }
    return (int)syscall(SYS_getsockopt, socket, level, option, value, length);
}

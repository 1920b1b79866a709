/* The least that running shell commands can cost: reads one command a line and keeps up to N bash processes alive.
   An empty line waits for all commands before it. Usage: floor N FILE */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;
static int alive, failed;

static void wait_until_at_most(int most)
{
    int status;
    while (alive > most && wait(&status) > 0) {
        alive--;
        failed |= status != 0;
    }
}

int main(int argc, char **argv)
{
    FILE *commands = argc == 3 ? fopen(argv[2], "re") : NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    if (!commands) {
        fputs("usage: floor N FILE\n", stderr);
        return 2;
    }
    while ((length = getline(&line, &room, commands)) > 0) {
        char *arguments[] = {"bash", "-c", line, NULL};
        line[length - 1] = 0;
        wait_until_at_most(length == 1 ? 0 : atoi(argv[1]) - 1);
        if (length > 1) {
            pid_t child;
            if (posix_spawnp(&child, "bash", NULL, NULL, arguments, environ))
                return 2;
            alive++;
        }
    }
    wait_until_at_most(0);
    return failed;
}

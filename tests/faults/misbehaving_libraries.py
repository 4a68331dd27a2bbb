"""What libraries may do when they are loaded, beside those of ``forged_others``: C, and what is said of it.

``REPLY`` is the path of the file for the description of the registry, which the library can find as others could.
"""

from __future__ import annotations

__all__ = ["MISBEHAVING", "PRELUDE"]

PRELUDE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
static char words[4096];
static const char* argument(int number) {
  int file = open("/proc/self/cmdline", O_RDONLY);
  read(file, words, sizeof words - 1);
  close(file);
  const char* word = words;
  while (number--) word += strlen(word) + 1;
  return word;
}
#define REPLY argument(2)
#define CTOR __attribute__((constructor)) static void start(void)
"""


def _write(text: str) -> str:
    return f'CTOR {{ FILE* file = fopen(REPLY, "w"); fputs("{text}", file); fclose(file); _exit(0); }}'


_DAMAGED = "is damaged|is not a snapshot"

# Quick ones first, which run by default.
MISBEHAVING: dict[str, tuple[str, str]] = {
    "a helper keeps the pipe open": (
        "CTOR { if (!fork()) { setsid(); signal(SIGTERM, SIG_IGN); sleep(30); _exit(0); } _exit(4); }",
        "cannot be loaded; it said nothing",
    ),
    "3 GB of output": (
        (
            "CTOR { char* text = malloc(1 << 20); memset(text, 65, 1 << 20); text[9] = 10;"
            " for (int i = 0; i < 3000; i++) write(1, text, 1 << 20); _exit(5); }"
        ),
        "cannot be loaded; it said: A+",
    ),
    "a named pipe for an answer": ("CTOR { mkfifo(REPLY, 0666); _exit(0); }", "it is not a regular file"),
    "a link to a device": ('CTOR { symlink("/dev/zero", REPLY); _exit(0); }', "Too many levels|symbolic link"),
    "bytes that are not UTF-8": (_write(r"\377\376{"), "it is not UTF-8"),
    # --- slow from here on
    "a directory for an answer": ("CTOR { mkdir(REPLY, 0777); _exit(0); }", "it is not a regular file"),
    "a link to a file of the user": ('CTOR { symlink("/etc/passwd", REPLY); _exit(0); }', "Too many levels|link"),
    "a link to itself": ("CTOR { symlink(REPLY, REPLY); _exit(0); }", "Too many levels|symbolic link"),
    "a socket": (
        (
            "CTOR { struct sockaddr_un at = {AF_UNIX}; strncpy(at.sun_path, REPLY, sizeof at.sun_path - 1);"
            " bind(socket(AF_UNIX, SOCK_STREAM, 0), (void*)&at, sizeof at); _exit(0); }"
        ),
        "No such device or address|it is not a regular file|cannot be loaded",
    ),
    "terabytes of nothing": (
        "CTOR { int file = open(REPLY, O_CREAT | O_WRONLY, 0666); ftruncate(file, 1ll << 40); _exit(0); }",
        "larger than 64 MiB",
    ),
    "an empty answer": (_write(""), _DAMAGED),
    "an answer that is a list": (_write("[]"), _DAMAGED),
    "an answer of another kind": (_write(r"{\"schema\": 1, \"types\": 7}"), _DAMAGED),
    "lists without end": (
        (
            'CTOR { FILE* file = fopen(REPLY, "w"); for (int i = 0; i < 100000; i++) fputc(91, file);'
            " fclose(file); _exit(0); }"
        ),
        _DAMAGED,
    ),
    "a number without end": (
        (
            r'CTOR { FILE* file = fopen(REPLY, "w"); fputs("{\"schema\": ", file);'
            " for (int i = 0; i < 100000; i++) fputc(49, file); fputc(125, file); fclose(file); _exit(0); }"
        ),
        _DAMAGED,
    ),
    "it stops itself": ("CTOR { raise(SIGSTOP); }", "did not finish loading within 2 s"),
    "it ignores signals and waits": (
        "CTOR { for (int i = 1; i < 64; i++) signal(i, SIG_IGN); for (;;) pause(); }",
        "did not finish loading within 2 s",
    ),
    "many processes that wait": (
        "CTOR { for (int i = 0; i < 50; i++) if (!fork()) { for (;;) pause(); } for (;;) pause(); }",
        "did not finish loading within 2 s",
    ),
    "output without end": (
        'CTOR { for (;;) write(2, "\\033]0;title\\007\\302\\2332J\\n::error::x\\n", 30); }',
        "did not finish loading within 2 s",
    ),
    "the directory is gone": (
        (
            "CTOR { char at[4096]; strcpy(at, REPLY); *strrchr(at, 47) = 0; char line[5000];"
            " snprintf(line, sizeof line, \"rm -rf '%s'\", at); system(line); _exit(0); }"
        ),
        "cannot be loaded; it said nothing",
    ),
    "the directory is read-only": (
        "CTOR { char at[4096]; strcpy(at, REPLY); *strrchr(at, 47) = 0; chmod(at, 0500); _exit(6); }",
        "cannot be loaded; it said nothing",
    ),
    "outputs that are closed": ("CTOR { close(1); close(2); _exit(7); }", "cannot be loaded; it said nothing"),
    "a stack without end": (
        (
            "static int down(volatile char* at)"
            " { volatile char more[4096]; more[0] = *at; return down(more) + more[1]; }"
            " CTOR { char first = 1; exit(down(&first)); }"
        ),
        "ended the process that loaded it by SIGSEGV",
    ),
    "names that terminals obey": (
        r'CTOR { fputs("\n::error title=a::b\n\033]0;title\007\302\205\342\200\256x", stderr); _exit(8); }',
        r"cannot be loaded; it said: \\u202ex",
    ),
    "it counts as killed": ("CTOR { kill(getpid(), SIGKILL); }", "by SIGKILL"),
}

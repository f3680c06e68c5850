#include "tests/programs/program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mutex>

namespace ckpt {
namespace {

std::mutex failures_mutex;
std::string failures;  // guarded by failures_mutex

void Fail(const std::string& what, int line) {
  std::lock_guard<std::mutex> lock(failures_mutex);
  failures += "line " + std::to_string(line) + ": " + what + "; ";
}

// Absolute, so that it does not matter where the program has gone since.
std::string& Workdir() {
  static std::string path;
  return path;
}

// Of a child that StartChild() made.
bool is_child = false;
int ready_end = -1;

std::string ChildFile(pid_t pid) { return "child-" + std::to_string(pid); }

void WriteWhole(const std::string& name, const std::string& text) {
  const std::string path = Workdir() + "/" + name;
  const std::string temporary = path + ".new";
  FILE* file = fopen(temporary.c_str(), "w");
  if (file == nullptr) _exit(2);
  fputs(text.c_str(), file);
  if (fclose(file) != 0 || rename(temporary.c_str(), path.c_str()) != 0) _exit(2);
}

void Redirect(int fd, const char* path, int flags) {
  const int opened = open(path, flags, 0644);
  if (opened < 0 || (opened != fd && (dup2(opened, fd) < 0 || close(opened) != 0))) _exit(2);
}

sigset_t GoSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  return set;
}

// Maps the text of the executable once more, from the same file in the directory of its layer: see
// tests/harness/container.h.
void MapFromLayer(int layers, const std::string& layer) {
  char exe[4096] = {};
  if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) _exit(2);
  const int file = openat(layers, (layer + exe).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) _exit(2);
  FILE* maps = fopen("/proc/self/maps", "r");
  if (maps == nullptr) _exit(2);
  char line[8192];
  while (fgets(line, sizeof(line), maps) != nullptr) {
    unsigned long start = 0;
    unsigned long end = 0;
    unsigned long offset = 0;
    char permissions[5] = {};
    const std::string text = line;
    if (sscanf(line, "%lx-%lx %4s %lx", &start, &end, permissions, &offset) != 4) _exit(2);
    if (permissions[2] != 'x' || !text.ends_with(std::string(" ") + exe + "\n")) continue;
    void* const address = reinterpret_cast<void*>(start);
    if (mmap(address, end - start, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file,
             static_cast<off_t>(offset)) != address) {
      _exit(2);
    }
  }
  fclose(maps);
}

}  // namespace

void BeginOnTerminal(int argc, char** argv) {
  if (const char* layers = getenv("CKPT_LAYERS_FD")) {
    MapFromLayer(atoi(layers), getenv("CKPT_LAYER"));
  }
  if (argc != 2 || chdir(argv[1]) != 0) _exit(2);
  char* path = realpath(".", nullptr);
  if (path == nullptr) _exit(2);
  Workdir() = path;
  free(path);
  syscall(SYS_close_range, 3, ~0U, 0);  // what a shell or a test runner left open
  const sigset_t go = GoSignal();
  REQUIRE(pthread_sigmask(SIG_BLOCK, &go, nullptr) == 0);
}

void Begin(int argc, char** argv) {
  BeginOnTerminal(argc, argv);
  setsid();  // fails when it leads a session already, which is as good
  Redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
  Redirect(STDOUT_FILENO, "output", O_WRONLY | O_CREAT | O_APPEND);
  Redirect(STDERR_FILENO, "output", O_WRONLY | O_APPEND);
}

void ReportFromHere() { Workdir() = "."; }

void ChangeRoot(const std::string& root) {
  REQUIRE(Workdir().starts_with(root + "/"));
  REQUIRE(chroot(root.c_str()) == 0);
  Workdir().erase(0, root.size());
  REQUIRE(chdir("/") == 0);
}

void Ready() {
  if (!is_child) return WriteWhole("ready", "");
  close(ready_end);
  ready_end = -1;
}

void AwaitGo() {
  const sigset_t go = GoSignal();
  while (sigwaitinfo(&go, nullptr) != SIGUSR1) {
  }
}

bool GoArrived() {
  const sigset_t go = GoSignal();
  const timespec at_once = {};
  return sigtimedwait(&go, nullptr, &at_once) == SIGUSR1;
}

void Expect(bool condition, const char* text, int line) {
  if (!condition) Fail(std::string("not true: ") + text, line);
}

void ExpectEqual(long long actual, long long expected, const char* text, int line) {
  if (actual == expected) return;
  Fail(std::string(text) + " is " + std::to_string(actual) + ", not " + std::to_string(expected),
       line);
}

void ExpectSame(const std::string& actual, const std::string& expected, const char* text,
                int line) {
  if (actual == expected) return;
  constexpr size_t kContext = 60;
  size_t at = 0;
  while (at < actual.size() && at < expected.size() && actual[at] == expected[at]) ++at;
  const size_t begin = at < kContext ? 0 : at - kContext;
  const auto part = [&](const std::string& all) { return all.substr(begin, 2 * kContext); };
  Fail(std::string(text) + " from byte " + std::to_string(begin) + " is \"" + part(actual) +
           "\", not \"" + part(expected) + "\"",
       line);
}

void Require(bool condition, const char* text, int line) {
  if (condition) return;
  Fail(std::string("not true: ") + text + " (" + strerror(errno) + ")", line);
  Finish();
}

void Finish() {
  std::lock_guard<std::mutex> lock(failures_mutex);
  if (is_child) {
    if (!failures.empty()) WriteWhole(ChildFile(getpid()), failures);
    _exit(failures.empty() ? 0 : 1);
  }
  WriteWhole("verdict", failures.empty() ? "pass" : "fail: " + failures);
  _exit(failures.empty() ? 0 : 1);
}

pid_t StartChild(const std::function<void()>& body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (ready_end >= 0) close(ready_end);
    close(ends[0]);
    is_child = true;
    ready_end = ends[1];
    failures.clear();
    body();
    Finish();
  }
  close(ends[1]);
  char byte = 0;
  EXPECT_EQUAL(read(ends[0], &byte, 1), 0);  // no byte: all have closed their end
  close(ends[0]);
  return pid;
}

void EndChild(pid_t pid) {
  REQUIRE(kill(pid, SIGUSR1) == 0);
  int status = 0;
  EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
  if (status == 0) return;
  Fail("child " + std::to_string(pid) + " ended with " + std::to_string(status) + ": " +
           FileText(Workdir() + "/" + ChildFile(pid)),
       __LINE__);
}

std::string FileText(const std::string& path) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "(cannot open " + path + ")";
  char buffer[4096];
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  return text;
}

std::string StatusField(const std::string& name) {
  const std::string status = "\n" + FileText("/proc/thread-self/status");
  const std::string label = "\n" + name + ":\t";
  const size_t at = status.find(label);
  if (at == std::string::npos) return "(no " + name + ")";
  const size_t begin = at + label.size();
  return status.substr(begin, status.find('\n', begin) - begin);
}

}  // namespace ckpt

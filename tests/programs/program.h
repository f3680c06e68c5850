// What every program to be dumped has in common. A program sets something up, says that it is
// ready, waits for the word to go on (SIGUSR1; between the two it may be dumped and restored),
// verifies everything, writes its verdict and exits.
//
// It runs as `PROGRAM WORKDIR`, in a session of its own, with WORKDIR as its working directory,
// /dev/null as its input and WORKDIR/output as its output. There it leaves two files, each of which
// appears whole: `ready`, empty, and `verdict`, either `pass` or `fail: ` and what was wrong.
// The exit status says the same: 0 or 1.
#ifndef TESTS_PROGRAMS_PROGRAM_H_
#define TESTS_PROGRAMS_PROGRAM_H_

#include <sys/types.h>

#include <functional>
#include <string>

namespace ckpt {

// To be called first. Blocks SIGUSR1 in the calling thread and those it will start.
void Begin(int argc, char** argv);
// The same of a program that stays in the session, and has the input and output, that it was given.
void BeginOnTerminal(int argc, char** argv);

// Has `ready` and `verdict` written by their path from the working directory, which must be
// WORKDIR: who becomes another user may not be allowed to search the folders above it.
void ReportFromHere();

// Makes `root`, which WORKDIR must be in, the root directory.
void ChangeRoot(const std::string& root);

// Creates the file `ready`.
void Ready();

// Waits until SIGUSR1 arrives.
void AwaitGo();

// Whether SIGUSR1 has arrived; takes it.
bool GoArrived();

inline void ReadyAndAwaitGo() {
  Ready();
  AwaitGo();
}

// Notes what was wrong, if it was. May be called by any thread.
void Expect(bool condition, const char* text, int line);
void ExpectEqual(long long actual, long long expected, const char* text, int line);
void ExpectSame(const std::string& actual, const std::string& expected, const char* text, int line);

// Ends the program with a verdict at once when the condition does not hold.
void Require(bool condition, const char* text, int line);

// Writes the verdict and ends the program.
[[noreturn]] void Finish();

#define EXPECT(condition) ::ckpt::Expect((condition), #condition, __LINE__)
#define EXPECT_EQUAL(actual, expected)                                                           \
  ::ckpt::ExpectEqual(static_cast<long long>(actual), static_cast<long long>(expected), #actual, \
                      __LINE__)
#define EXPECT_SAME(actual, expected) ::ckpt::ExpectSame((actual), (expected), #actual, __LINE__)
#define REQUIRE(condition) ::ckpt::Require((condition), #condition, __LINE__)

// Forks a child that runs `body` and Finish(), and returns once it has called ReadyAndAwaitGo(),
// which it must; what it finds wrong is heard of by EndChild(). It may have children of its own.
pid_t StartChild(const std::function<void()>& body);

// Gives a child the word to go on, waits for its end, and notes what it found wrong.
void EndChild(pid_t pid);

// The contents of a file, those of /proc included.
std::string FileText(const std::string& path);

// The value of a line `NAME:\tVALUE` of /proc/thread-self/status.
std::string StatusField(const std::string& name);

}  // namespace ckpt

#endif  // TESTS_PROGRAMS_PROGRAM_H_

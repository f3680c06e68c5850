// Parents and children, in sessions and process groups of their own and of others.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct Relations {
  pid_t pid = getpid();
  pid_t parent = getppid();
  pid_t session = getsid(0);
  pid_t group = getpgrp();
};

void ExpectSameRelations(const Relations& before, bool same_parent = true) {
  const Relations now;
  EXPECT_EQUAL(now.pid, before.pid);
  if (same_parent) EXPECT_EQUAL(now.parent, before.parent);
  EXPECT_EQUAL(now.session, before.session);
  EXPECT_EQUAL(now.group, before.group);
}

// Waits, and finds itself where it was.
void Stay() {
  const Relations before;
  ReadyAndAwaitGo();
  ExpectSameRelations(before);
}

// Has two children in its group, the second of which makes a group for itself.
void LeadGroup() {
  REQUIRE(setpgid(0, 0) == 0);
  const Relations before;
  const pid_t member = StartChild(Stay);
  const pid_t other = StartChild([] {
    REQUIRE(setpgid(0, 0) == 0);
    Stay();
  });
  ReadyAndAwaitGo();
  ExpectSameRelations(before);
  EndChild(member);
  EndChild(other);
}

// Leads a session; its first child was there before, so that it is of the old one.
void LeadSession() {
  const pid_t of_old_session = StartChild(Stay);
  REQUIRE(setsid() > 0);
  const Relations before;
  const pid_t group = StartChild(LeadGroup);
  const pid_t member = StartChild([] {
    const pid_t grandchild = StartChild(Stay);
    Stay();
    EndChild(grandchild);
  });
  ReadyAndAwaitGo();
  ExpectSameRelations(before);
  for (const pid_t child : {of_old_session, group, member}) EndChild(child);
}

// A child in the group of one that has ended.
pid_t StartInGroupWithoutLeader() {
  const pid_t leader = fork();
  REQUIRE(leader >= 0);
  if (leader == 0) {
    pause();
    _exit(1);
  }
  REQUIRE(setpgid(leader, leader) == 0);
  const pid_t member = StartChild([&] {
    REQUIRE(setpgid(0, leader) == 0);
    Stay();
  });
  REQUIRE(kill(leader, SIGKILL) == 0);
  REQUIRE(waitpid(leader, nullptr, 0) == leader);
  return member;
}

void Run() {
  const Relations before;
  const pid_t of_dead = StartInGroupWithoutLeader();
  const pid_t plain = StartChild(Stay);
  const pid_t group = StartChild(LeadGroup);
  const pid_t session = StartChild(LeadSession);
  ReadyAndAwaitGo();
  ExpectSameRelations(before, false);  // the parent is whoever started or restored it
  for (const pid_t child : {of_dead, plain, group, session}) EndChild(child);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}

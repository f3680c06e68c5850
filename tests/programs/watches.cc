// What watches files: inotify on files, folders and a file that is deleted since, fanotify on an
// inode and on a mount, and epoll over both. Locks of each kind on the files that it watches.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

int Create(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  REQUIRE(fd >= 0);
  return fd;
}

// Whether an event is there; takes all of them.
bool HasEvents(int fd) {
  char events[4096];
  return read(fd, events, sizeof(events)) > 0;
}

int MakeInotify() {
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(inotify_add_watch(fd, "watched", IN_MODIFY | IN_ATTRIB) > 0);
  REQUIRE(inotify_add_watch(fd, "folder", IN_CREATE | IN_DELETE | IN_ONLYDIR) > 0);
  REQUIRE(inotify_add_watch(fd, "deleted", IN_MODIFY) > 0);
  return fd;
}

int MakeFanotify() {
  const int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_CLOEXEC, O_RDONLY);
  REQUIRE(fd >= 0);
  REQUIRE(fanotify_mark(fd, FAN_MARK_ADD, FAN_MODIFY, AT_FDCWD, "watched") == 0);
  REQUIRE(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CLOSE_WRITE, AT_FDCWD, "/tmp") == 0);
  return fd;
}

void MakeLocks() {
  REQUIRE(flock(Create("locked"), LOCK_EX | LOCK_NB) == 0);
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_start = 10;
  range.l_len = 20;
  REQUIRE(fcntl(Create("ranges"), F_SETLK, &range) == 0);
  range.l_type = F_RDLCK;
  range.l_start = 100;
  REQUIRE(fcntl(Create("descriptions"), F_OFD_SETLK, &range) == 0);
}

void Watch(int epoll, int fd) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = 0xfeed;
  REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

void Run() {
  const int watched = Create("watched");
  const int deleted = Create("deleted");
  REQUIRE(mkdir("folder", 0755) == 0);
  const int inotify = MakeInotify();
  const int fanotify = MakeFanotify();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  REQUIRE(epoll >= 0);
  Watch(epoll, inotify);
  Watch(epoll, fanotify);
  MakeLocks();
  REQUIRE(unlink("deleted") == 0);

  ReadyAndAwaitGo();

  HasEvents(inotify);  // of the dump
  HasEvents(fanotify);
  REQUIRE(write(watched, "x", 1) == 1);
  EXPECT(HasEvents(inotify));
  EXPECT(HasEvents(fanotify));
  REQUIRE(write(deleted, "x", 1) == 1);
  EXPECT(HasEvents(inotify));
  EXPECT_EQUAL(flock(Create("locked"), LOCK_EX | LOCK_NB), -1);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}

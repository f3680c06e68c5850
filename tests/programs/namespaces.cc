// Names, parameters and the loopback device of the namespaces that it runs in, which are its own.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr char kHostName[] = "container-host";
constexpr char kDomainName[] = "container.example";
constexpr char kAddress[] = "192.0.2.9";

struct Parameter {
  const char* path;
  const char* value;
};

// Of the IPC and the network namespace, all unlike what a new one has.
constexpr Parameter kParameters[] = {
    {"/proc/sys/kernel/sem", "31000\t1000000000\t400\t30000\n"},
    {"/proc/sys/kernel/msgmax", "9000\n"},
    {"/proc/sys/kernel/msgmnb", "17000\n"},
    {"/proc/sys/kernel/msgmni", "31000\n"},
    {"/proc/sys/kernel/shmmax", "123456789\n"},
    {"/proc/sys/kernel/shmall", "1234567\n"},
    {"/proc/sys/kernel/shmmni", "4000\n"},
    {"/proc/sys/kernel/shm_rmid_forced", "1\n"},
    {"/proc/sys/fs/mqueue/queues_max", "200\n"},
    {"/proc/sys/fs/mqueue/msg_max", "11\n"},
    {"/proc/sys/fs/mqueue/msgsize_max", "8200\n"},
    {"/proc/sys/net/ipv4/conf/lo/log_martians", "1\n"},
    {"/proc/sys/net/ipv4/conf/default/rp_filter", "2\n"},
};

void Write(const Parameter& parameter) {
  std::ofstream file(parameter.path);
  file << parameter.value;
  file.flush();
  REQUIRE(file.good());
}

short LoopbackFlags() {
  // Not kept open: sockets are dumped elsewhere.
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  ifreq request = {};
  strcpy(request.ifr_name, "lo");
  REQUIRE(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
  close(fd);
  return request.ifr_flags;
}

void RaiseLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  ifreq request = {};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = static_cast<short>(LoopbackFlags() | IFF_UP);
  REQUIRE(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
  close(fd);
}

// Beside those that the kernel gives it.
void AddAddress() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  ifreq request = {};
  strcpy(request.ifr_name, "lo:1");
  auto* address = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
  address->sin_family = AF_INET;
  REQUIRE(inet_pton(AF_INET, kAddress, &address->sin_addr) == 1);
  REQUIRE(ioctl(fd, SIOCSIFADDR, &request) == 0);
  close(fd);
}

void Verify() {
  utsname names = {};
  REQUIRE(uname(&names) == 0);
  EXPECT_SAME(names.nodename, kHostName);
  EXPECT_SAME(names.domainname, kDomainName);
  for (const Parameter& parameter : kParameters) {
    EXPECT_SAME(FileText(parameter.path), parameter.value);
  }
  EXPECT((LoopbackFlags() & IFF_UP) != 0);
  EXPECT(FileText("/proc/net/fib_trie").find(kAddress) != std::string::npos);
}

void Run() {
  const pid_t pid = getpid();
  REQUIRE(sethostname(kHostName, sizeof(kHostName) - 1) == 0);
  REQUIRE(setdomainname(kDomainName, sizeof(kDomainName) - 1) == 0);
  for (const Parameter& parameter : kParameters) Write(parameter);
  RaiseLoopback();
  AddAddress();
  Verify();
  ReadyAndAwaitGo();
  EXPECT_EQUAL(getpid(), pid);
  Verify();
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}

#include "tests/images/matrix_dumps.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <map>

#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"
#include "tests/harness/process_tree.h"
#include "tests/images/user_container.h"

namespace ckpt {
namespace {

constexpr unsigned kNamespaces =
    CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;

ContainerOptions OptionsOf(const MatrixDump& dump) {
  ContainerOptions options;
  options.program = dump.name;
  options.namespaces = kNamespaces | dump.more_namespaces;
  options.under_init = dump.setting == MatrixSetting::kUnderInit;
  return options;
}

// The one child of pid 1, in the PID namespace of its parent, which is not dumped.
Result<> DumpChildOf(Container& init, const std::string& images) {
  CKPT_TRY(const std::vector<pid_t> tree, ProcessTree(init.pid()));
  struct stat own = {};
  const std::string link = fmt::format("/proc/{}/ns/pid", init.pid());
  if (tree.size() != 2 || stat(link.c_str(), &own) != 0) {
    return MakeError(ErrorCode::kInternal, "{} processes in {}", tree.size(), link);
  }
  std::vector<std::string> arguments = {"--network-lock", "skip", "--external",
                                        fmt::format("pid[{}]:pidns", own.st_ino)};
  for (const char* file : {"hosts", "resolv.conf", "hostname"}) {
    arguments.insert(arguments.end(), {"--external", fmt::format("mnt[/etc/{0}]:{0}", file)});
  }
  return Dump(Engine::kCriu, tree.back(), images, ProcessAfter::kRunning, arguments);
}

Result<> RunInNetworkOf(pid_t pid, const std::vector<std::string>& words) {
  std::vector<std::string> command = {"nsenter", "--net", "--target", std::to_string(pid)};
  command.insert(command.end(), words.begin(), words.end());
  CKPT_TRY(RunCommandWell(command));
  return success();
}

Result<std::string> DumpContainer(const MatrixDump& dump, const std::string& images) {
  Result<Container> started = Container::Start(dump.name, OptionsOf(dump));
  if (started.has_error()) return std::move(started).error();
  Container& container = started.value();
  for (const auto& command : dump.network_commands) {
    CKPT_TRY(RunInNetworkOf(container.pid(), command));
  }
  if (dump.setting == MatrixSetting::kUnderInit) {
    CKPT_TRY(DumpChildOf(container, images));
  } else {
    CKPT_TRY(container.Dump(Engine::kCriu, images, ProcessAfter::kRunning, dump.arguments));
  }
  return container.Verdict();
}

Result<std::string> DumpUserNamespace(const MatrixDump& dump, const std::string& images) {
  CKPT_TRY(const std::string folder, MakeTestDirectory(dump.name));
  CKPT_TRY(Subject subject, StartInUserNamespace(dump.name, folder));
  CKPT_TRY(Dump(Engine::kCriu, subject.pid(), images, ProcessAfter::kRunning, dump.arguments));
  return subject.Verdict();
}

// CRIU runs iptables and ip, which are not in the PATH that tests have.
class CriuEnvironment {
 public:
  CriuEnvironment() : path_(getenv("PATH") == nullptr ? "" : getenv("PATH")) {
    setenv("PATH", (path_ + ":/usr/sbin:/sbin").c_str(), 1);
    setenv("LD_PRELOAD", RunfilePath("tests/images/older_sockets.so").c_str(), 1);
  }
  CriuEnvironment(const CriuEnvironment&) = delete;
  CriuEnvironment& operator=(const CriuEnvironment&) = delete;
  ~CriuEnvironment() {
    unsetenv("LD_PRELOAD");
    setenv("PATH", path_.c_str(), 1);
  }

 private:
  std::string path_;
};

Result<std::string> Make(const MatrixDump& dump) {
  const CriuEnvironment environment;
  CKPT_TRY(std::string images, MakeTestDirectory(dump.name + "-images"));
  const auto dump_in =
      dump.setting == MatrixSetting::kUserNamespace ? DumpUserNamespace : DumpContainer;
  CKPT_TRY(const std::string verdict, dump_in(dump, images));
  if (verdict == "pass") return images;
  return MakeError(ErrorCode::kInternal, "{} after its dump: {}", dump.name, verdict);
}

}  // namespace

std::span<const MatrixDump> MatrixDumps() {
  static const auto* const dumps = new std::vector<MatrixDump>{
      {.name = "sockets", .arguments = {"--tcp-established"}},
      {.name = "watches", .arguments = {"--file-locks"}},
      {.name = "ipc_objects"},
      {.name = "handles", .arguments = {"--link-remap", "--cpu-cap=ins"}},
      {.name = "events", .more_namespaces = CLONE_NEWTIME},
      {.name = "conntrack",
       .network_commands = {{"iptables-legacy", "-A", "INPUT", "-p", "udp", "-j", "DROP"},
                            {"ip6tables-legacy", "-A", "OUTPUT", "-p", "tcp", "-j", "ACCEPT"},
                            {"iptables-nft", "-A", "INPUT", "-p", "tcp", "-j", "DROP"}}},
      {.name = "autofs"},
      {.name = "cgroups",
       .more_namespaces = CLONE_NEWCGROUP,
       .arguments = {"--manage-cgroups=full"}},
      {.name = "counter", .setting = MatrixSetting::kUnderInit},
      {.name = "user_namespace",
       .setting = MatrixSetting::kUserNamespace,
       .arguments = {"--network-lock", "skip", "--external", "mnt[/dev/null]:null"}},
      // What pre-dumps need.
      {.name = "fifos",
       .arguments = {"--track-mem"},
       .refusal = "Tracking memory is not available"},
      {.name = "bpf_maps",
       .refusal = "Can't dump file 3 of that type [600] (anon anon_inode:bpf-map)"},
  };
  return *dumps;
}

const Result<std::string>& DumpedOnce(const MatrixDump& dump) {
  static auto* const made = new std::map<std::string, Result<std::string>>;
  auto found = made->find(dump.name);
  if (found == made->end()) found = made->emplace(dump.name, Make(dump)).first;
  return found->second;
}

}  // namespace ckpt

#include "tests/harness/container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/harness/command.h"
#include "tests/harness/container_mounts.h"
#include "tests/harness/mounts_snapshot.h"
#include "tests/harness/snapshot.h"

namespace ckpt {
namespace {

constexpr const char* kHostFiles[] = {"hosts", "resolv.conf", "hostname"};
constexpr size_t kLibraryBytes = 10000;
constexpr const char* kLowestLayer = "4f6d2a90c1b7";

// The program, and what it is linked with, at the same paths below `base`.
Result<> CopyProgram(const std::string& program, const std::string& base) {
  const std::string path = RunfilePath("tests/programs/" + program);
  CKPT_TRY(RunCommandWell({"cp", "-L", path, base + "/bin/" + program}));
  const auto copy = RunCommandWell(
      {"sh", "-c",
       "ldd \"$0\" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do"
       " mkdir -p \"$1$(dirname \"$library\")\" && cp -L \"$library\" \"$1$library\" || exit 1; "
       "done",
       path, base});
  CKPT_TRY(copy);
  return success();
}

std::string OverlayOptions(const std::vector<std::string>& layers, const std::string& work) {
  std::string lower;
  for (size_t i = 1; i < layers.size(); ++i) lower += (i > 1 ? ":" : "") + layers[i];
  return fmt::format("lowerdir={},upperdir={},workdir={}", lower, layers[0], work);
}

// CRIU would keep packets out of a network namespace by iptables, which need not be there.
void AddPeculiarities(std::vector<std::string>& arguments) {
  arguments.insert(arguments.end(), {"--network-lock", "skip"});
}

// In the child, in a session of its own.
void OpenNull(int null) {
  setsid();
  for (int fd : {0, 1, 2}) {
    if (dup2(null, fd) < 0) _exit(126);
  }
}

// In the child: the program with the folder of the layers as descriptor 3 where there is one.
[[noreturn]] void ExecProgram(const std::vector<std::string>& words, int layers) {
  // dup2 leaves a descriptor that has the number already to be closed.
  const bool has_layers =
      layers == 3 ? fcntl(3, F_SETFD, 0) == 0 : layers > 3 && dup2(layers, 3) == 3;
  syscall(SYS_close_range, has_layers ? 4 : 3, ~0U, 0);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string lowest = fmt::format("CKPT_LAYER={}", kLowestLayer);
  const char* const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C",
                                     has_layers ? "CKPT_LAYERS_FD=3" : nullptr, lowest.c_str(),
                                     nullptr};
  execve(arguments[0], arguments.data(), const_cast<char**>(environment));
  _exit(127);
}

}  // namespace

Result<> CheckAvailable(ContainerRoot root) {
  if (root != ContainerRoot::kFuseLayers) return success();
  CKPT_TRY(RunCommandWell({"sh", "-c", ": </dev/fuse && command -v fuse-overlayfs"}));
  return success();
}

Result<Container> Container::Start(const std::string& name, const ContainerOptions& options) {
  Container container;
  container.options_ = options;
  CKPT_TRY(container.MakeFolder(name));
  CKPT_TRY(container.MountRoot());
  CKPT_TRY(Subject subject,
           Subject::StartBy([&] { return container.Spawn(); }, container.workdir()));
  container.subject_.emplace(std::move(subject));
  return container;
}

Container::~Container() {
  subject_.reset();
  while (!mountpoints_.empty()) {
    umount2(mountpoints_.back().c_str(), MNT_DETACH);
    mountpoints_.pop_back();
  }
}

Result<> Container::MountAt(const char* source, const std::string& target, const char* type,
                            unsigned long flags, const std::string& data) {
  if (mount(source, target.c_str(), type, flags, data.c_str()) != 0) {
    return ErrnoError(errno, "mount(\"{}\", \"{}\", \"{}\")", source, target, data);
  }
  mountpoints_.push_back(target);
  return success();
}

std::vector<std::string> Container::Layers() const {
  std::vector<std::string> layers = {layers_ + "/9e3b57f0d8aa", layers_ + "/9e3b57f0d8aa-init"};
  for (int i = 0; i < options_.more_layers; ++i) layers.push_back(fmt::format("{}/{}", layers_, i));
  layers.push_back(fmt::format("{}/{}", layers_, kLowestLayer));
  return layers;
}

Result<> Container::MakeFolder(const std::string& name) {
  CKPT_TRY(folder_, MakeTestDirectory(name));
  root_ = folder_ + "/rootfs";
  layers_ = folder_ + "/layers";
  std::error_code error;
  std::filesystem::create_directories(folder_ + "/host", error);
  std::filesystem::create_directory(root_, error);
  if (error) return ErrnoError(error.value(), "create directories in \"{}\"", folder_);
  for (const char* file : kHostFiles) {
    std::ofstream(HostFile(file)) << file << " of the host\n";
  }
  if (options_.root == ContainerRoot::kDirectory) return Populate(root_);
  std::filesystem::create_directory(layers_, error);
  // An overlay cannot lie on another one, which the test's own root may be.
  CKPT_TRY(MountAt("layers", layers_, "tmpfs", 0, "mode=755"));
  for (const std::string& layer : Layers()) std::filesystem::create_directory(layer, error);
  for (const char* directory : {"/work", "/below", "/below-upper", "/below-work"}) {
    std::filesystem::create_directory(layers_ + directory, error);
  }
  if (error) return ErrnoError(error.value(), "create directories in \"{}\"", layers_);
  if (options_.layers_apart) {
    CKPT_TRY(MountAt("layer", Layers().back(), "tmpfs", 0, "mode=755"));
  }
  std::ofstream(layers_ + "/below/library") << std::string(kLibraryBytes, 'l');
  CKPT_TRY(Populate(Layers().back()));
  if (options_.fill_layers) options_.fill_layers(Layers());
  return success();
}

Result<> Container::Populate(const std::string& base) const {
  CKPT_TRY(MakeMountpoints(base, options_.bind_mounts));
  CKPT_TRY(RunCommandWell({"mkdir", "-p", base + "/bin"}));
  if (options_.under_init) CKPT_TRY(CopyProgram("init", base));
  return CopyProgram(options_.program, base);
}

Result<> Container::MountRoot() {
  if (options_.root == ContainerRoot::kDirectory) {
    return MountAt(root_.c_str(), root_, nullptr, MS_BIND, "");
  }
  if (options_.root == ContainerRoot::kLayers) {
    return MountAt("overlay", root_, "overlay", 0, RootOptions());
  }
  CKPT_TRY(RunCommandWell({"fuse-overlayfs", "-o", RootOptions(), root_}));
  mountpoints_.push_back(root_);
  return success();
}

std::string Container::RootOptions() const {
  const std::string options = OverlayOptions(Layers(), layers_ + "/work");
  return options_.layers_apart ? options + ",xino=off" : options;
}

Result<pid_t> Container::Fork() const {
  if (options_.terminal != nullptr) {
    return options_.terminal->Fork(options_.role, options_.namespaces);
  }
  clone_args arguments = {};
  arguments.flags = options_.namespaces;
  arguments.exit_signal = SIGCHLD;
  const pid_t pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (pid < 0) return ErrnoError(errno, "clone3({:#x})", options_.namespaces);
  return pid;
}

Result<pid_t> Container::Spawn() const {
  const std::string start = HasMounts() ? "" : root_;
  std::vector<std::string> words = {start + "/bin/" + options_.program, start + "/work"};
  if (options_.under_init) words.insert(words.begin(), start + "/bin/init");
  UniqueFd layers;
  if (options_.maps_layer) {
    CKPT_TRY(layers, OpenFile(layers_, O_PATH | O_DIRECTORY));
  }
  const std::string below = options_.union_below ? UnionOptions() : "";
  CKPT_TRY(const pid_t pid, Fork());
  if (pid != 0) return pid;
  const int outside_null = open("/dev/null", O_RDWR);
  if (HasMounts()) {
    const Result<> mounted = MountContainer({.root = root_,
                                             .host_files = folder_ + "/host",
                                             .sysfs = (options_.namespaces & CLONE_NEWNET) != 0,
                                             .propagation = options_.propagation,
                                             .bind_mounts = options_.bind_mounts,
                                             .union_options = below});
    if (mounted.has_error()) {
      fmt::print(stderr, "{}\n", mounted.error().message);
      fflush(nullptr);
      _exit(125);
    }
  }
  if (options_.terminal == nullptr) {
    OpenNull(options_.outside_null ? outside_null : open("/dev/null", O_RDWR));
  }
  ExecProgram(words, layers.get());
}

Result<> Container::Dump(Engine engine, const std::string& images, ProcessAfter after,
                         const std::vector<std::string>& more) {
  std::vector<std::string> arguments = more;
  if (HasMounts() && options_.names_externals) {
    for (const char* file : kHostFiles) {
      arguments.insert(arguments.end(), {"--external", fmt::format("mnt[/etc/{0}]:{0}", file)});
    }
  }
  if (engine == Engine::kCriu) AddPeculiarities(arguments);
  CKPT_TRY(ckpt::Dump(engine, pid(), images, after, arguments));
  if (after != ProcessAfter::kGone) return success();
  CKPT_TRY(subject_->AwaitEnd());
  CKPT_TRY(RunCommandWell({"rm", "-rf", folder_ + "/saved"}));
  CKPT_TRY(RunCommandWell({"cp", "-a", workdir(), folder_ + "/saved"}));
  return success();
}

Result<> Container::Restore(Engine engine, const std::string& images,
                            const std::vector<std::string>& more, Terminal* terminal) {
  CKPT_TRY(RunCommandWell({"rm", "-rf", workdir()}));
  CKPT_TRY(RunCommandWell({"cp", "-a", folder_ + "/saved", workdir()}));
  std::vector<std::string> arguments = more;
  if (HasMounts()) {
    arguments.insert(arguments.end(), {"--root", root_});
  }
  if (HasMounts() && options_.names_externals) {
    for (const char* file : kHostFiles) {
      arguments.insert(arguments.end(),
                       {"--external", fmt::format("mnt[{}]:{}", file, HostFile(file))});
    }
  }
  if (engine == Engine::kCriu) AddPeculiarities(arguments);
  CKPT_TRY(const pid_t pid, ckpt::Restore(engine, images, arguments, terminal));
  CKPT_TRY(Subject subject, Subject::Adopt(pid, workdir()));
  subject_.reset();
  subject_.emplace(std::move(subject));
  return success();
}

Result<> Container::MoveLayers() {
  if (umount2(root_.c_str(), MNT_DETACH) != 0) return ErrnoError(errno, "umount2(\"{}\")", root_);
  mountpoints_.clear();
  const std::string elsewhere = layers_ + "-elsewhere";
  std::error_code error;
  std::filesystem::create_directory(elsewhere, error);
  if (error) return ErrnoError(error.value(), "mkdir(\"{}\")", elsewhere);
  CKPT_TRY(MountAt(layers_.c_str(), elsewhere, nullptr, MS_MOVE, ""));
  layers_ = elsewhere;
  return MountRoot();
}

Result<> Container::CopyRoot() {
  const std::string copy = folder_ + "/copy";
  CKPT_TRY(RunCommandWell({"cp", "-a", root_, copy}));
  if (umount2(root_.c_str(), MNT_DETACH) != 0) return ErrnoError(errno, "umount2(\"{}\")", root_);
  std::erase(mountpoints_, root_);
  return MountAt(copy.c_str(), root_, nullptr, MS_BIND, "");
}

std::string Container::UnionOptions() const {
  const std::string below = layers_ + "/below";
  return OverlayOptions({below + "-upper", below}, below + "-work");
}

Result<std::string> Container::MountUnion() {
  CKPT_TRY(std::string place, MakeTestDirectory("union"));
  CKPT_TRY(MountAt("overlay", place, "overlay", 0, UnionOptions()));
  return place;
}

Result<std::string> Container::Snapshot() const {
  if (!HasMounts()) return TreeSnapshotOf(subject_->pid());
  CKPT_TRY(const std::string tasks, TreeSnapshotOf(subject_->pid()));
  CKPT_TRY(const std::string mounts, MountsSnapshotOf(subject_->pid()));
  return tasks + mounts;
}

}  // namespace ckpt

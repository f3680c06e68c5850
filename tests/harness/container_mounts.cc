#include "tests/harness/container_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ckpt {
namespace {

constexpr unsigned long kNoDevices = MS_NOSUID | MS_NODEV | MS_NOEXEC;

Result<> Mount(const std::string& source, const std::string& target, const char* type,
               unsigned long flags, const char* data = nullptr) {
  if (mount(source.c_str(), target.c_str(), type, flags, data) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "mount(\"{}\", \"{}\", \"{}\", {:#x}, \"{}\")", source, target,
                    type == nullptr ? "" : type, flags, data == nullptr ? "" : data);
}

Result<> Bind(const std::string& source, const std::string& target) {
  return Mount(source, target, nullptr, MS_BIND);
}

Result<> Propagate(const std::string& target, unsigned long how) {
  return Mount("", target, nullptr, how);
}

Result<> MakeNode(const std::string& path, mode_t mode, dev_t device) {
  if (mknod(path.c_str(), mode, device) == 0 && chmod(path.c_str(), mode & 07777) == 0) {
    return success();
  }
  const int saved = errno;
  return ErrnoError(saved, "mknod(\"{}\", {:#o})", path, mode);
}

Result<> WriteText(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (file.flush()) return success();
  return MakeError(ErrorCode::kSystem, "cannot write {}", path);
}

Result<> MountDev(const std::string& dev) {
  CKPT_TRY(Mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755,size=1m"));
  struct Node {
    const char* name;
    unsigned major, minor;
  };
  constexpr Node kNodes[] = {{"null", 1, 3},    {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8},
                             {"urandom", 1, 9}, {"tty", 5, 0},  {"ptmx", 5, 2}};
  for (const Node& node : kNodes) {
    CKPT_TRY(MakeNode(dev + "/" + node.name, S_IFCHR | 0666, makedev(node.major, node.minor)));
  }
  for (const char* name : {"pts", "mqueue", "shm"}) mkdir((dev + "/" + name).c_str(), 0755);
  if (symlink("/proc/self/fd", (dev + "/fd").c_str()) != 0) return ErrnoError(errno, "symlink(fd)");
  CKPT_TRY(Mount("devpts", dev + "/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=0620"));
  CKPT_TRY(Mount("mqueue", dev + "/mqueue", "mqueue", kNoDevices));
  return Mount("shm", dev + "/shm", "tmpfs", kNoDevices, "mode=1777,size=4m");
}

// One of each that an archive has to keep: owners, modes, times, links, holes, attributes.
Result<> FillTmp(const std::string& tmp) {
  CKPT_TRY(WriteText(tmp + "/plain", "some text\n"));
  CKPT_TRY(WriteText(tmp + "/empty", ""));
  CKPT_TRY(WriteText(tmp + "/a name with spaces\nand a newline", "x"));
  mkdir((tmp + "/folder").c_str(), 0750);
  CKPT_TRY(WriteText(tmp + "/folder/owned", "by 1000:1001"));
  const timespec times[] = {{1'000'000'000, 123'456'789}, {1'100'000'000, 987'654'321}};
  const bool made = chown((tmp + "/folder/owned").c_str(), 1000, 1001) == 0 &&
                    chmod((tmp + "/folder/owned").c_str(), 04751) == 0 &&
                    link((tmp + "/plain").c_str(), (tmp + "/folder/same").c_str()) == 0 &&
                    symlink("folder/owned", (tmp + "/symbolic").c_str()) == 0 &&
                    truncate((tmp + "/empty").c_str(), 1 << 20) == 0 &&
                    utimensat(AT_FDCWD, (tmp + "/plain").c_str(), times, 0) == 0 &&
                    setxattr((tmp + "/plain").c_str(), "trusted.ckpt", "value", 5, 0) == 0;
  if (!made) return ErrnoError(errno, "fill \"{}\"", tmp);
  CKPT_TRY(MakeNode(tmp + "/fifo", S_IFIFO | 0600, 0));
  return MakeNode(tmp + "/device", S_IFCHR | 0640, makedev(1, 3));
}

Result<> MountPropagating(const std::string& root) {
  CKPT_TRY(Bind(root + "/data", root + "/shared"));
  CKPT_TRY(Propagate(root + "/shared", MS_SHARED));
  for (const char* name : {"/peer", "/slave", "/slave_shared"}) {
    CKPT_TRY(Bind(root + "/shared", root + name));
  }
  CKPT_TRY(Propagate(root + "/slave", MS_SLAVE));
  CKPT_TRY(Propagate(root + "/slave_shared", MS_SLAVE));
  CKPT_TRY(Propagate(root + "/slave_shared", MS_SHARED));
  return Mount("private", root + "/private", "tmpfs", MS_NODIRATIME | MS_NOEXEC, "mode=700");
}

Result<> MountBinds(const ContainerMounts& mounts) {
  const std::string& root = mounts.root;
  CKPT_TRY(Bind(root + "/data", root + "/ro"));
  CKPT_TRY(Mount("", root + "/ro", nullptr,
                 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOATIME));
  for (const char* name : {"hosts", "resolv.conf", "hostname"}) {
    CKPT_TRY(Bind(fmt::format("{}/{}", mounts.host_files, name), root + "/etc/" + name));
  }
  for (int i = 0; i < mounts.bind_mounts; ++i) {
    CKPT_TRY(Bind(root + "/data/file", fmt::format("{}/binds/{}", root, i)));
  }
  return success();
}

Result<> PivotInto(const std::string& root) {
  if (chdir(root.c_str()) != 0) return ErrnoError(errno, "chdir(\"{}\")", root);
  if (syscall(SYS_pivot_root, ".", ".") != 0) return ErrnoError(errno, "pivot_root(\".\", \".\")");
  if (umount2(".", MNT_DETACH) != 0) return ErrnoError(errno, "umount2(\".\", MNT_DETACH)");
  if (chdir("/") != 0) return ErrnoError(errno, "chdir(\"/\")");
  return success();
}

}  // namespace

Result<> MakeMountpoints(const std::string& root, int bind_mounts) {
  std::error_code error;
  for (const char* name :
       {"/proc", "/sys", "/dev", "/tmp", "/etc", "/data", "/ro", "/shared", "/peer", "/slave",
        "/slave_shared", "/private", "/binds", "/work", "/union"}) {
    std::filesystem::create_directories(root + name, error);
  }
  if (error) return ErrnoError(error.value(), "create directories in \"{}\"", root);
  for (const char* name : {"/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/data/file"}) {
    CKPT_TRY(WriteText(root + name, fmt::format("{} of the root\n", name)));
  }
  for (int i = 0; i < bind_mounts; ++i) {
    CKPT_TRY(WriteText(fmt::format("{}/binds/{}", root, i), ""));
  }
  return success();
}

Result<> MountContainer(const ContainerMounts& mounts) {
  const std::string& root = mounts.root;
  CKPT_TRY(Mount("", "/", nullptr, MS_REC | MS_PRIVATE));
  CKPT_TRY(Mount("proc", root + "/proc", "proc", kNoDevices));
  if (mounts.sysfs) CKPT_TRY(Mount("sysfs", root + "/sys", "sysfs", kNoDevices | MS_RDONLY));
  CKPT_TRY(MountDev(root + "/dev"));
  CKPT_TRY(Mount("tmpfs", root + "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=16m"));
  CKPT_TRY(FillTmp(root + "/tmp"));
  CKPT_TRY(MountBinds(mounts));
  if (!mounts.union_options.empty()) {
    CKPT_TRY(Mount("overlay", root + "/union", "overlay", 0, mounts.union_options.c_str()));
  }
  if (mounts.propagation) CKPT_TRY(MountPropagating(root));
  return PivotInto(root);
}

}  // namespace ckpt

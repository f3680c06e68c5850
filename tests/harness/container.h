// A container: a program of tests/programs that runs in namespaces and on mounts of its own.
#ifndef TESTS_HARNESS_CONTAINER_H_
#define TESTS_HARNESS_CONTAINER_H_

#include <sched.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/harness/engine.h"
#include "tests/harness/subject.h"
#include "tests/harness/terminal.h"

namespace ckpt {

// What the root directory of a container is: a bind mount of a directory, or an overlay of layers,
// by the kernel or, a union that nobody has heard of, by fuse-overlayfs.
enum class ContainerRoot { kDirectory, kLayers, kFuseLayers };

// An error that says why, where this machine cannot make such a root.
Result<> CheckAvailable(ContainerRoot root);

inline constexpr unsigned kContainerNamespaces =
    CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;

struct ContainerOptions {
  std::string program;  // of tests/programs; runs with WORKDIR /work
  ContainerRoot root = ContainerRoot::kDirectory;
  // With kLayers: the lowest one lies on a file system of its own, and the overlay has xino=off:
  // stat(2) gives files another device than the mount has.
  bool layers_apart = false;
  // With kLayers: layers between the uppermost two and the lowest one, and what puts files into
  // them, top first, before they are united.
  int more_layers = 0;
  std::function<void(const std::vector<std::string>& layers)> fill_layers = {};
  // With kLayers: the program's text is mapped once more through the directory of its layer, from
  // the folder of the layers, opened before the mount namespace is left. Its mappings show a path
  // and a mount id that the container does not have, its exe link the path in the union: what AUFS
  // does. The program may map further files of that folder, the descriptor CKPT_LAYERS_FD.
  bool maps_layer = false;
  // Pid 1 is a small init that starts the program, and ends with it.
  bool under_init = false;
  // Descriptors 0 to 2 of pid 1 are the test's /dev/null, which lies on no mount of the container.
  bool outside_null = false;
  // Descriptors 0 to 2 of pid 1 are this terminal, which lies outside, too, and controls its
  // session.
  Terminal* terminal = nullptr;
  SessionRole role = SessionRole::kLeader;
  // The key of each file of the host is given at dump; without, they are in nobody's hands.
  bool names_externals = true;
  // Without CLONE_NEWNS there is no root of its own: the program runs on the test's mounts.
  unsigned namespaces = kContainerNamespaces;
  // Mounts at /shared, /peer (a bind of it, one peer group with it), /slave and /slave_shared
  // (which receive from it), and a tmpfs at /private.
  bool propagation = false;
  int bind_mounts = 0;  // of the file /data/file, at /binds/0, /binds/1, ...
  // With kLayers: another overlay at /union, the lower layer of which has a file `library`.
  bool union_below = false;
};

// Beside the root, in a container with its own mount namespace: /proc, /sys (with an own network
// namespace), a tmpfs at /dev with null, zero, full, random, urandom, tty, ptmx and links; a devpts
// instance, an mqueue, a tmpfs at /dev/shm; a tmpfs at /tmp with files, links, a fifo and a device
// in it; /data bound read-only at /ro; and the host's files bound at /etc/hosts, /etc/resolv.conf
// and /etc/hostname. All of the test's mounts lie in its own namespace, below its own directory.
class Container {
 public:
  Container(Container&&) = default;
  Container& operator=(Container&&) = delete;
  // Ends what runs, and unmounts what the test sees of it.
  ~Container();

  // `name` is unique in the test. Returns when the program is ready.
  static Result<Container> Start(const std::string& name, const ContainerOptions& options);

  // Of pid 1 of the container (without an own pid namespace: of the program), as the test sees it.
  pid_t pid() const { return subject_->pid(); }
  Subject& subject() { return *subject_; }

  // The root directory from outside; with kLayers its mount is there also once the container ended.
  const std::string& root() const { return root_; }
  // Where the program has its files, from outside.
  std::string workdir() const { return root_ + "/work"; }
  // The file of the host that is bound at /etc/NAME.
  std::string HostFile(const std::string& name) const { return folder_ + "/host/" + name; }
  // Branches of kLayers, top first.
  std::vector<std::string> Layers() const;

  // Dumps and restores with the three files of the host as external mounts, by the keys "hosts",
  // "resolv.conf" and "hostname". `more` are further arguments. A dump that ends the container also
  // reaps it, and keeps the files in WORKDIR as they are then.
  Result<> Dump(Engine engine, const std::string& images, ProcessAfter after = ProcessAfter::kGone,
                const std::vector<std::string>& more = {});
  // To be called once the container has ended: puts the files of WORKDIR back as they were at the
  // last dump, and restores, on the terminal where there is one.
  Result<> Restore(Engine engine, const std::string& images,
                   const std::vector<std::string>& more = {}, Terminal* terminal = nullptr);

  // With kLayers, once the container has ended: the layers lie elsewhere, and their union is
  // mounted again at root().
  Result<> MoveLayers();

  // Likewise: root() shows a plain copy of the union.
  Result<> CopyRoot();
  // With union_below: mounts that overlay in the test, too, from the layers where they are now,
  // until the end of this object; the path.
  Result<std::string> MountUnion();

  // See TreeSnapshotOf() and MountsSnapshotOf().
  Result<std::string> Snapshot() const;

  // That of the program, which ends with it, and the container with the program.
  Result<std::string> Verdict() { return subject_->Verdict(); }

 private:
  Container() = default;

  Result<> MakeFolder(const std::string& name);
  Result<> Populate(const std::string& base) const;
  Result<> MountAt(const char* source, const std::string& target, const char* type,
                   unsigned long flags, const std::string& data);
  Result<> MountRoot();
  std::string RootOptions() const;
  std::string UnionOptions() const;
  Result<pid_t> Fork() const;
  Result<pid_t> Spawn() const;
  bool HasMounts() const { return (options_.namespaces & CLONE_NEWNS) != 0; }

  ContainerOptions options_;
  std::string folder_;
  std::string root_;
  std::string layers_;                    // the folder of the layers
  std::vector<std::string> mountpoints_;  // where the test has mounts for it; none after a move
  std::optional<Subject> subject_;
};

}  // namespace ckpt

#endif  // TESTS_HARNESS_CONTAINER_H_

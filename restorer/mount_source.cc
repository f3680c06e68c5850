#include "restorer/mount_source.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "formats/image_type.h"
#include "restorer/mount_calls.h"
#include "restorer/tmpfs_content.h"

namespace ckpt {

namespace {

// What the kernel wrote into the log of a file system context: lines like "e tmpfs: Bad value".
std::string ContextLog(int context) {
  std::string log;
  char line[512];
  while (true) {
    const ssize_t got = read(context, line, sizeof(line));
    if (got <= 0) return log;
    log += ": ";
    log.append(line, static_cast<size_t>(got));
  }
}

Result<> Configure(const MountSourcePlan& plan, int context, fsconfig_command command,
                   const char* key = nullptr, const char* value = nullptr) {
  if (fsconfig(context, command, key, value, 0) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "{}: fsconfig of {} ({}{}{}){}", plan.place, plan.fstype,
                    key == nullptr ? "create" : key, value == nullptr ? "" : "=",
                    value == nullptr ? "" : value, ContextLog(context));
}

Result<UniqueFd> MakeSuperblock(const MountSourcePlan& plan) {
  UniqueFd context(fsopen(plan.fstype.c_str(), FSOPEN_CLOEXEC));
  const int saved = errno;
  if (!context.valid()) return ErrnoError(saved, "{}: fsopen(\"{}\")", plan.place, plan.fstype);
  if (!plan.device.empty()) {
    CKPT_TRY(Configure(plan, context.get(), FSCONFIG_SET_STRING, "source", plan.device.c_str()));
  }
  for (const auto& [key, value] : plan.options) {
    if (value.empty()) {
      CKPT_TRY(Configure(plan, context.get(), FSCONFIG_SET_FLAG, key.c_str()));
    } else {
      CKPT_TRY(Configure(plan, context.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str()));
    }
  }
  CKPT_TRY(Configure(plan, context.get(), FSCONFIG_CMD_CREATE));
  UniqueFd made(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  const int mount_saved = errno;
  if (!made.valid()) return ErrnoError(mount_saved, "{}: fsmount", plan.place);
  return made;
}

Result<> MakeReadOnly(const MountSourcePlan& plan, int mount) {
  UniqueFd context(fspick(mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
  const int saved = errno;
  if (!context.valid()) return ErrnoError(saved, "{}: fspick", plan.place);
  CKPT_TRY(Configure(plan, context.get(), FSCONFIG_SET_FLAG, "ro"));
  return Configure(plan, context.get(), FSCONFIG_CMD_RECONFIGURE);
}

Result<UniqueFd> MakeNew(const MountSourcePlan& plan, int root, const std::string& images_dir) {
  CKPT_TRY(UniqueFd made, MakeSuperblock(plan));
  CKPT_TRY(AttachMount(plan.place, made.get(), root));
  if (plan.content_image) {
    CKPT_TRY(ExtractContent(
        images_dir + "/" + ImageFileName(ImageType::kTmpfsDev, *plan.content_image), made.get()));
  }
  if (plan.read_only) CKPT_TRY(MakeReadOnly(plan, made.get()));
  return made;
}

Result<UniqueFd> MakeExternal(const MountSourcePlan& plan, int root) {
  Result<UniqueFd> opened = OpenFile(plan.path, O_PATH);
  if (opened.has_error()) return std::move(opened).error().In(plan.place);
  UniqueFd outside = std::move(opened).value();
  struct stat found {};
  if (fstat(outside.get(), &found) < 0) return ErrnoError(errno, "{}: fstat", plan.place);
  // Nothing can be below a file, nor can it be attached on a directory.
  if (!S_ISDIR(found.st_mode)) return outside;
  CKPT_TRY(UniqueFd clone, CloneMount(plan.place, outside.get()));
  CKPT_TRY(AttachMount(plan.place, clone.get(), root));
  return clone;
}

}  // namespace

Result<UniqueFd> MakeMountSource(const MountSourcePlan& plan, int root,
                                 const std::string& images_dir) {
  if (plan.kind == MountSourcePlan::Kind::kNew) return MakeNew(plan, root, images_dir);
  if (plan.kind == MountSourcePlan::Kind::kExternal) return MakeExternal(plan, root);
  CKPT_TRY(UniqueFd clone, CloneMount(plan.place, root));
  CKPT_TRY(AttachMount(plan.place, clone.get(), root));
  return clone;
}

}  // namespace ckpt

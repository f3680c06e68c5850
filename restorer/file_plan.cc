#include "restorer/file_plan.h"

#include <fcntl.h>

#include <set>
#include <string>
#include <utility>

namespace ckpt {

namespace {

// Flags of open(2) that act when a file is opened and are no state of it. O_NOCTTY is one of them,
// but is wanted whenever we open.
constexpr int kOpeningFlags = O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC;

std::string PlaceOf(const pb::file_entry& entry) {
  return fmt::format("files.img entry id {}", entry.id());
}

std::optional<FileOwnerPlan> OwnerOf(const pb::fown_entry& entry) {
  if (entry.pid() == 0 && entry.signum() == 0) return std::nullopt;
  return FileOwnerPlan{.signal = static_cast<int>(entry.signum()),
                       .pid_type = static_cast<int>(entry.pid_type()),
                       .pid = static_cast<pid_t>(entry.pid()),
                       .uid = entry.uid(),
                       .euid = entry.euid()};
}

}  // namespace

FilePlanner::FilePlanner(const DumpImages& images, RestorePlan& plan, Findings& findings)
    : images_(images), plan_(plan), findings_(findings) {
  for (const pb::file_entry& entry : images.files) {
    if (!entries_.emplace(entry.id(), &entry).second) {
      findings.BadFormat("files.img: two entries have the id {}", entry.id());
    }
  }
}

void FilePlanner::Use(uint32_t file_id, std::string_view user) {
  if (plan_.files.contains(file_id)) return;
  const auto found = entries_.find(file_id);
  if (found == entries_.end()) {
    findings_.BadFormat("{}: file id {} is not in files.img", user, file_id);
    return;
  }
  PlanFile(*found->second, user);
}

void FilePlanner::UsePath(uint32_t file_id, std::string_view user) {
  Use(file_id, user);
  const auto found = plan_.files.find(file_id);
  if (found != plan_.files.end() && found->second.kind != FilePlan::Kind::kPath) {
    findings_.BadFormat("{}: file id {} has no path", user, file_id);
  }
}

void FilePlanner::PlanFile(const pb::file_entry& entry, std::string_view user) {
  FilePlan file;
  file.id = entry.id();
  file.place = PlaceOf(entry);
  if (entry.type() == pb::REG && entry.has_reg()) {
    PlanPath(entry.reg(), file, user);
  } else if (entry.type() == pb::PIPE && entry.has_pipe()) {
    file.kind = FilePlan::Kind::kPipe;
    file.flags = static_cast<int>(entry.pipe().flags()) & ~kOpeningFlags;
    file.pipe_id = entry.pipe().pipe_id();
    file.owner = OwnerOf(entry.pipe().fown());
  } else if (entry.type() == pb::REG || entry.type() == pb::PIPE) {
    findings_.BadFormat("{}: is said to be {}, but holds no such message", file.place,
                        pb::fd_types_Name(entry.type()));
    return;
  } else {
    findings_.Unsupported("{}: a file of type {} is not supported ({})", file.place,
                          pb::fd_types_Name(entry.type()), user);
    return;
  }
  plan_.files.emplace(file.id, std::move(file));
}

void FilePlanner::PlanPath(const pb::reg_file_entry& entry, FilePlan& file, std::string_view user) {
  file.path = entry.name();
  file.flags = static_cast<int>(entry.flags()) & ~kOpeningFlags;
  file.position = entry.pos();
  file.owner = OwnerOf(entry.fown());
  if (entry.has_size()) file.size_bytes = entry.size();
  if (entry.has_mode()) file.mode = entry.mode();
  if (entry.ext()) {
    findings_.Unsupported("{}: \"{}\" names an external file, which is not supported ({})",
                          file.place, file.path, user);
  } else if (!file.path.starts_with('/')) {
    findings_.BadFormat("{}: path \"{}\" does not begin with a slash", file.place, file.path);
  }
  for (const pb::remap_file_path_entry& remap : images_.remaps) {
    if (remap.orig_id() != file.id) continue;
    findings_.Unsupported("{}: {} had been deleted, and such files are not supported ({})",
                          file.place, file.path, user);
  }
}

void FilePlanner::PlanPipes() {
  for (const auto& [id, file] : plan_.files) {
    if (file.kind == FilePlan::Kind::kPipe) {
      plan_.pipes.try_emplace(file.pipe_id, PipePlan{.pipe_id = file.pipe_id});
    }
  }
  std::set<uint32_t> seen;
  for (const PipeDataImage& data : images_.pipe_data) {
    const uint32_t pipe_id = data.entry.pipe_id();
    if (!seen.insert(pipe_id).second) {
      findings_.BadFormat("pipes-data.img: two entries are of pipe {}", pipe_id);
    }
    const auto pipe = plan_.pipes.find(pipe_id);
    if (pipe == plan_.pipes.end()) continue;
    pipe->second.content = data.content;
    if (data.entry.has_size()) pipe->second.capacity_bytes = data.entry.size();
  }
}

}  // namespace ckpt

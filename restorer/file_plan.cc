#include "restorer/file_plan.h"

#include <set>
#include <string>
#include <utility>

#include "restorer/description_plan.h"
#include "restorer/event_file_plan.h"
#include "restorer/ghost_plan.h"
#include "restorer/tty_plan.h"
#include "restorer/unix_socket_plan.h"

namespace ckpt {

namespace {

// Of files of processes in the dumper's mount namespace.
constexpr int32_t kNoMount = -1;

std::string PlaceOf(const pb::file_entry& entry) {
  return fmt::format("files.img entry id {}", entry.id());
}

}  // namespace

FilePlanner::FilePlanner(const DumpImages& images, RestorePlan& plan, Findings& findings)
    : images_(images), plan_(plan), findings_(findings) {
  for (const pb::file_entry& entry : images.files) {
    if (!entries_.emplace(entry.id(), &entry).second) {
      findings.BadFormat("files.img: two entries have the id {}", entry.id());
    }
  }
  for (const pb::remap_file_path_entry& remap : images.remaps) {
    remaps_.emplace(remap.orig_id(), &remap);
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
  if (PlanKind(entry, file, user)) plan_.files.emplace(file.id, std::move(file));
}

bool FilePlanner::PlanKind(const pb::file_entry& entry, FilePlan& file, std::string_view user) {
  if (entry.type() == pb::REG && entry.has_reg()) {
    PlanPath(entry.reg(), file, user);
    return true;
  }
  if (entry.type() == pb::PIPE && entry.has_pipe()) {
    PlanPipe(entry.pipe(), file);
    return true;
  }
  if (entry.type() == pb::FIFO && entry.has_fifo()) return PlanFifo(entry.fifo(), file, user);
  if (entry.type() == pb::UNIXSK && entry.has_usk()) {
    PlanUnixSocket(entry.usk(), file, plan_, findings_);
    return true;
  }
  if (entry.type() == pb::TTY && entry.has_tty()) {
    PlanTerminalFile(entry.tty(), file);
    return true;
  }
  if (PlanEventFile(entry, file)) return true;
  if (entry.type() == pb::REG || entry.type() == pb::PIPE || entry.type() == pb::FIFO ||
      entry.type() == pb::UNIXSK || entry.type() == pb::TTY || IsEventFile(entry.type())) {
    findings_.BadFormat("{}: is said to be {}, but holds no such message", file.place,
                        pb::fd_types_Name(entry.type()));
  } else {
    findings_.Unsupported("{}: a file of type {} is not supported ({})", file.place,
                          pb::fd_types_Name(entry.type()), user);
  }
  return false;
}

void FilePlanner::PlanPipe(const pb::pipe_entry& entry, FilePlan& file) {
  file.kind = FilePlan::Kind::kPipe;
  file.flags = OpenFlags(entry.flags());
  file.pipe_id = entry.pipe_id();
  file.owner = PlanOwner(entry.fown());
}

// Path, flags and owner of a FIFO are those of the regular entry that it names.
bool FilePlanner::PlanFifo(const pb::fifo_entry& entry, FilePlan& file, std::string_view user) {
  const auto path = entries_.find(entry.regf_id());
  if (path == entries_.end() || !path->second->has_reg()) {
    findings_.BadFormat("{}: regf_id {} is not a regular file of files.img ({})", file.place,
                        entry.regf_id(), user);
    return false;
  }
  PlanPath(path->second->reg(), file, user);
  file.kind = FilePlan::Kind::kFifo;
  file.pipe_id = entry.pipe_id();
  return true;
}

void FilePlanner::PlanPath(const pb::reg_file_entry& entry, FilePlan& file, std::string_view user) {
  file.path = entry.name();
  file.flags = OpenFlags(entry.flags());
  file.position = entry.pos();
  file.owner = PlanOwner(entry.fown());
  if (entry.has_size()) file.size_bytes = entry.size();
  if (entry.mnt_id() != kNoMount) file.mnt_id = static_cast<uint32_t>(entry.mnt_id());
  if (entry.has_mode()) file.mode = entry.mode();
  if (entry.ext()) {
    findings_.Unsupported("{}: \"{}\" names an external file, which is not supported ({})",
                          file.place, file.path, user);
  } else if (!file.path.starts_with('/')) {
    findings_.BadFormat("{}: path \"{}\" does not begin with a slash", file.place, file.path);
  }
  const auto remap = remaps_.find(entry.id());
  if (remap != remaps_.end()) PlanGhost(images_, *remap->second, file, plan_, findings_);
}

void FilePlanner::PlanPipes() {
  for (const auto& [id, file] : plan_.files) {
    if (file.kind == FilePlan::Kind::kPipe) {
      plan_.pipes.try_emplace(file.pipe_id, PipePlan{.pipe_id = file.pipe_id});
    } else if (file.kind == FilePlan::Kind::kFifo) {
      plan_.fifos.try_emplace(file.pipe_id, PipePlan{.pipe_id = file.pipe_id});
    }
  }
  AddContents(images_.pipe_data, ImageType::kPipesData, plan_.pipes);
  AddContents(images_.fifo_data, ImageType::kFifoData, plan_.fifos);
}

void FilePlanner::AddContents(const std::vector<PipeDataImage>& contents, ImageType image,
                              std::map<uint32_t, PipePlan>& pipes) {
  std::set<uint32_t> seen;
  for (const PipeDataImage& data : contents) {
    const uint32_t pipe_id = data.entry.pipe_id();
    if (!seen.insert(pipe_id).second) {
      findings_.BadFormat("{}: two entries are of pipe {}", ImageFileName(image), pipe_id);
    }
    const auto pipe = pipes.find(pipe_id);
    if (pipe == pipes.end()) continue;
    pipe->second.content = data.content;
    if (data.entry.has_size()) pipe->second.capacity_bytes = data.entry.size();
  }
}

}  // namespace ckpt

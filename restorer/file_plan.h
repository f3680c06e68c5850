// The plan of files and pipes: what files.img says of each that a task uses.
#ifndef RESTORER_FILE_PLAN_H_
#define RESTORER_FILE_PLAN_H_

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "formats/image_type.h"
#include "restorer/dump_images.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// Adds files to a plan as tasks turn out to use them. What nobody uses is not restored.
class FilePlanner {
 public:
  FilePlanner(const DumpImages& images, RestorePlan& plan, Findings& findings);

  // `user` names the place of the reference: "fdinfo-2.img: descriptor 3".
  void Use(uint32_t file_id, std::string_view user);
  // The same where only a file with a path will do: mappings, cwd, root, exe.
  void UsePath(uint32_t file_id, std::string_view user);

  // After the last use: a pipe or FIFO in use gets its content.
  void PlanPipes();

 private:
  void PlanFile(const pb::file_entry& entry, std::string_view user);
  // False, and there is a finding, when a file of this kind cannot be planned.
  bool PlanKind(const pb::file_entry& entry, FilePlan& file, std::string_view user);
  void PlanPath(const pb::reg_file_entry& entry, FilePlan& file, std::string_view user);
  void PlanPipe(const pb::pipe_entry& entry, FilePlan& file);
  bool PlanFifo(const pb::fifo_entry& entry, FilePlan& file, std::string_view user);
  void AddContents(const std::vector<PipeDataImage>& contents, ImageType image,
                   std::map<uint32_t, PipePlan>& pipes);

  const DumpImages& images_;
  RestorePlan& plan_;
  Findings& findings_;
  std::map<uint32_t, const pb::file_entry*> entries_;
  std::map<uint32_t, const pb::remap_file_path_entry*> remaps_;  // by orig_id
};

}  // namespace ckpt

#endif  // RESTORER_FILE_PLAN_H_

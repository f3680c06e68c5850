#include "restorer/tty_plan.h"

#include <algorithm>
#include <cstring>

#include "restorer/description_plan.h"

namespace ckpt {

namespace {

// The bytes of c_cc lie side by side in words, of which there are too many: so CRIU writes them.
TermiosPlan PlanTermios(const pb::termios_entry& entry) {
  TermiosPlan settings;
  settings.input_flags = entry.c_iflag();
  settings.output_flags = entry.c_oflag();
  settings.control_flags = entry.c_cflag();
  settings.local_flags = entry.c_lflag();
  settings.line = static_cast<uint8_t>(entry.c_line());
  for (size_t i = 0; i < settings.characters.size(); ++i) {
    const auto word = static_cast<int>(i / 4);
    if (word >= entry.c_cc_size()) break;
    settings.characters[i] = static_cast<uint8_t>(entry.c_cc(word) >> (i % 4 * 8));
  }
  return settings;
}

void PlanInfo(const pb::tty_info_entry& entry, const FilePlan& file, RestorePlan& plan,
              Findings& findings) {
  if (entry.type() != pb::PTY) {
    findings.Unsupported("{}: a terminal of type {} is not supported", file.place,
                         pb::TtyType_Name(entry.type()));
  }
  // Masters have the odd ones.
  if (entry.id() % 2 != 0 || entry.packet_mode()) {
    findings.Unsupported("{}: the master of a pseudo terminal is not supported", file.place);
  }
  TerminalPlan terminal;
  terminal.id = entry.id();
  terminal.session = static_cast<pid_t>(entry.sid());
  terminal.foreground_group = static_cast<pid_t>(entry.pgrp());
  if (entry.has_termios()) terminal.settings = PlanTermios(entry.termios());
  plan.terminals.emplace(entry.id(), terminal);
}

// The descriptor of the terminal that the task, which led its session, was controlled by.
void PlanController(TaskPlan& task, const RestorePlan& plan) {
  for (const DescriptorPlan& descriptor : task.descriptors) {
    const auto file = plan.files.find(descriptor.file_id);
    if (file == plan.files.end() || file->second.kind != FilePlan::Kind::kTerminal) continue;
    const auto terminal = plan.terminals.find(file->second.terminal_id);
    if (terminal == plan.terminals.end() || terminal->second.session != task.sid) continue;
    task.terminal = {.fd = descriptor.fd, .foreground_group = terminal->second.foreground_group};
    return;
  }
}

}  // namespace

void PlanTerminalFile(const pb::tty_file_entry& entry, FilePlan& file) {
  file.kind = FilePlan::Kind::kTerminal;
  file.flags = OpenFlags(entry.flags());
  file.owner = PlanOwner(entry.fown());
  file.terminal_id = entry.tty_info_id();
}

void PlanTerminals(const DumpImages& images, RestorePlan& plan, Findings& findings) {
  for (const auto& [id, file] : plan.files) {
    if (file.kind != FilePlan::Kind::kTerminal) continue;
    const auto info =
        std::ranges::find(images.terminals, file.terminal_id, &pb::tty_info_entry::id);
    if (info == images.terminals.end()) {
      findings.BadFormat("{}: terminal {} is not in tty-info.img", file.place, file.terminal_id);
    } else if (!plan.terminals.contains(file.terminal_id)) {
      PlanInfo(*info, file, plan, findings);
    }
  }
  if (plan.terminals.size() > 1) {
    findings.Unsupported("tty-info.img: {} terminals, and one can be given", plan.terminals.size());
  }
  for (TaskPlan& task : plan.tasks) {
    if (task.IsLive() && task.sid == task.pid) PlanController(task, plan);
  }
}

Result<> CheckTerminals(const RestorePlan& plan, bool is_shell_job) {
  if (is_shell_job || plan.terminals.empty()) return success();
  return MakeError(ErrorCode::kUnsupported,
                   "tty-info.img: a terminal from outside of the dump is needed (--shell-job gives "
                   "the restorer's own)");
}

}  // namespace ckpt

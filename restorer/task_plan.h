// The plan of a process, from its images.
#ifndef RESTORER_TASK_PLAN_H_
#define RESTORER_TASK_PLAN_H_

#include "restorer/dump_images.h"
#include "restorer/file_plan.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"
#include "restorer/shared_memory_plan.h"

namespace ckpt {

// What is wrong or unsupported goes to `findings`; the plan is of use only when there are none.
// The files that the process uses are added to `files`.
TaskPlan PlanTask(const TaskImages& images, FilePlanner& files,
                  const SharedMemoryFiles& shared_files, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_TASK_PLAN_H_

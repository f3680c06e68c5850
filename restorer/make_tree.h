// The step that makes all processes but the first, each by a clone3(2) of its maker.
#ifndef RESTORER_MAKE_TREE_H_
#define RESTORER_MAKE_TREE_H_

#include <array>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "restorer/mapped_pages.h"
#include "restorer/restored_tree.h"

namespace ckpt {

// What the step consists of, many times over.
inline constexpr std::string_view kMakeProcess = "make a process";
inline constexpr std::string_view kChangeMemory = "change the memory of a process";
inline constexpr std::string_view kLeadSession = "lead a session";
inline constexpr std::array kTreeSteps = {kMakeProcess, kChangeMemory, kLeadSession};

// `tree` holds the first process of `plan`, whose memory is filled; afterwards it holds all, in the
// order in which they were made. Those that live have their memory, too. `before` is called with
// the name of each of kTreeSteps.
Result<> MakeTree(const RestorePlan& plan, const MappedPages& pages,
                  const std::function<Result<>(std::string_view)>& before, RestoredTree& tree);

}  // namespace ckpt

#endif  // RESTORER_MAKE_TREE_H_

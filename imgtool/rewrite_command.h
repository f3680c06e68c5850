// `imgtool rewrite`: what users otherwise edit by hand.
#ifndef IMGTOOL_REWRITE_COMMAND_H_
#define IMGTOOL_REWRITE_COMMAND_H_

#include <boost/program_options/options_description.hpp>

#include "base/result.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr char kRewriteDescription[] =
    "Replaces paths, mount sources, ports, addresses, cgroups, ids and names all over a dump, and\n"
    "reports each change: image, entry, field, old, new, and why. OLD stands for itself and what "
    "is\n"
    "below it, by whole components; the longest OLD wins, whatever the order. An option that\n"
    "matches nothing in the dump is an error that names what comes close.\n\n"
    "--analyze prints what the dump holds that the options could touch, and changes nothing.\n";

void AddRewriteOptions(boost::program_options::options_description& options);

Result<int> RunRewrite(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_REWRITE_COMMAND_H_

// What a mount namespace of a dump calls a file of a union.
#ifndef IMGTOOL_UNION_NAME_H_
#define IMGTOOL_UNION_NAME_H_

#include <cstdint>
#include <optional>
#include <string>

#include "imgtool/branch_map.h"
#include "imgtool/dump_facts.h"

namespace ckpt {

struct UnionName {
  std::string rest;  // within the union: "" for its root, or "/x/y"
  std::string name;
  // The namespace of the dump that the name is one of, and the mount there that it leads to. Null
  // where no mountpoints image tells.
  std::optional<uint32_t> mnt_ns_id;
  const DumpedMount* owner = nullptr;
  std::string problem;  // why there is no such name: "would become ..."; empty where there is one
};

// The name of what is `rest` in the union: below the union's mountpoint, or where the namespace's
// mounts were dumped and another one covers that, below a bind mount of the union.
UnionName NameOfRest(const DumpFacts& facts, const std::optional<uint32_t>& mnt_ns_id,
                     const MapUnion& mount, std::string rest);

// The same of a name that the namespace itself gave.
UnionName NameAsGiven(const DumpFacts& facts, const std::optional<uint32_t>& mnt_ns_id,
                      const MapUnion& mount, std::string name);

// Whether two unions of a map are the same, or one that two namespaces have mounted.
bool AreOneUnion(const DumpFacts& facts, const MapUnion& one, const MapUnion& other);

}  // namespace ckpt

#endif  // IMGTOOL_UNION_NAME_H_

#include "imgtool/cgroup_pass.h"

#include <utility>

#include "formats/image_type.h"
#include "formats/proto/cgroup.pb.h"
#include "imgtool/rewrite_context.h"

namespace ckpt {

namespace {

constexpr char kPass[] = "cgroups";

class CgroupPass {
 public:
  CgroupPass(RewriteContext& context, EditPlan& plan) : context_(context), plan_(plan) {}

  Result<> Run() {
    const std::string name = ImageFileName(ImageType::kCgroup);
    if (context_.images.Has(name)) {
      CKPT_TRY(const ImageFile image, context_.images.Read(name));
      CKPT_TRY(const auto entries, ParseEntries<pb::cgroup_entry>(image));
      for (size_t i = 0; i < entries.size(); ++i) CKPT_TRY(ChangeEntry({name, i}, entries[i]));
    }
    return context_.rules.cgroups.CheckAllUsed();
  }

 private:
  Result<> ChangeEntry(const EntryPlace& place, const pb::cgroup_entry& entry) {
    for (int set = 0; set < entry.sets_size(); ++set) {
      for (int ctl = 0; ctl < entry.sets(set).ctls_size(); ++ctl) {
        CKPT_TRY(ChangeMember(place, fmt::format("sets[{}].ctls[{}].", set, ctl),
                              entry.sets(set).ctls(ctl)));
      }
    }
    for (int i = 0; i < entry.controllers_size(); ++i) {
      const auto& dirs = entry.controllers(i).dirs();
      for (int dir = 0; dir < dirs.size(); ++dir) {
        top_has_slash_ = dirs[dir].dir_name().starts_with('/');
        CKPT_TRY(
            ChangeDirectory(place, fmt::format("controllers[{}].dirs[{}]", i, dir), "", dirs[dir]));
      }
    }
    return success();
  }

  Result<> Propose(const EntryPlace& place, std::string field, FieldValue old_value,
                   FieldValue new_value, const std::string& rule) {
    return plan_.Add({place, std::move(field), std::move(old_value), std::move(new_value), kPass,
                      "--cgroup " + rule});
  }

  Result<> ChangeMember(const EntryPlace& place, const std::string& prefix,
                        const pb::cg_member_entry& member) {
    const auto mapped = context_.rules.cgroups.Map(member.path());
    if (!mapped) return success();
    CKPT_TRY(Propose(place, prefix + "path", member.path(), mapped->path, mapped->rule));
    if (!member.has_cgns_prefix() || member.cgns_prefix() == 0) return success();
    auto length = NamespacePrefix(member.path(), member.cgns_prefix(), *mapped);
    if (length.has_error()) return std::move(length).error().In(place.Text() + ": " + prefix);
    return Propose(place, prefix + "cgns_prefix", int64_t{member.cgns_prefix()},
                   int64_t{length.value()}, mapped->rule);
  }

  // `parent` is the path of the directory around this one, empty at the top.
  Result<> ChangeDirectory(const EntryPlace& place, const std::string& field,
                           const std::string& parent, const pb::cgroup_dir_entry& directory) {
    const bool is_top = parent.empty();
    const std::string path = is_top && directory.dir_name().starts_with('/')
                                 ? directory.dir_name()
                                 : parent + "/" + directory.dir_name();
    const auto mapped = context_.rules.cgroups.Map(path);
    const bool is_old_itself = mapped && mapped->old_length == path.size();
    // What is below OLD moves with the directory that is OLD.
    if (mapped && (is_top || is_old_itself)) {
      CKPT_TRY(RenameDirectory(place, field, parent, directory.dir_name(), *mapped));
    }
    for (int i = 0; i < directory.children_size(); ++i) {
      CKPT_TRY(ChangeDirectory(place, fmt::format("{}.children[{}]", field, i), path,
                               directory.children(i)));
    }
    return success();
  }

  // One that leaves its parent becomes one at the top, whose name is its path.
  Result<> RenameDirectory(const EntryPlace& place, const std::string& field,
                           const std::string& parent, const std::string& old_name,
                           const PrefixMap::Mapped& mapped) {
    std::string name = mapped.path;
    const std::string around = name.substr(0, name.rfind('/'));
    if (!parent.empty() && around == parent) {
      name.erase(0, around.size() + 1);
    } else {
      if (!parent.empty()) MoveToTop(place, field, mapped);
      if (!top_has_slash_) name.erase(0, 1);
    }
    return Propose(place, field + ".dir_name", old_name, std::move(name), mapped.rule);
  }

  void MoveToTop(const EntryPlace& place, const std::string& field,
                 const PrefixMap::Mapped& mapped) {
    plan_.AddMove({place, field, field.substr(0, field.find('[', field.find('.'))), kPass,
                   "--cgroup " + mapped.rule});
  }

  RewriteContext& context_;
  EditPlan& plan_;
  bool top_has_slash_ = false;  // of the directory that is being looked at
};

}  // namespace

Result<uint32_t> NamespacePrefix(const std::string& path, uint32_t prefix_bytes,
                                 const PrefixMap::Mapped& mapped) {
  if (prefix_bytes > path.size()) {
    return MakeError(ErrorCode::kBadFormat, "a prefix of {} bytes, of a path of {}", prefix_bytes,
                     path.size());
  }
  if (prefix_bytes >= mapped.old_length) {
    return static_cast<uint32_t>(prefix_bytes - mapped.old_length + mapped.new_length);
  }
  if (mapped.path.starts_with(path.substr(0, prefix_bytes) + "/")) return prefix_bytes;
  return MakeError(ErrorCode::kUnsupported,
                   "--cgroup {}: the cgroup namespace begins at byte {} of {}, within what is "
                   "replaced",
                   mapped.rule, prefix_bytes, FieldText(path));
}

Result<> RenameCgroups(RewriteContext& context, EditPlan& plan) {
  return context.rules.cgroups.empty() ? Result<>(success()) : CgroupPass(context, plan).Run();
}

}  // namespace ckpt

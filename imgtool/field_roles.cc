#include "imgtool/field_roles.h"

#include <algorithm>
#include <cstdint>

namespace ckpt {

namespace {

using enum FieldRole;

constexpr FieldRoleRow kRows[] = {
    {"aa_namespace.name", kLabel},
    {"aa_policy.name", kLabel},
    {"autofs_entry.gid", kGroupId},
    {"autofs_entry.uid", kUserId},
    {"binfmt_misc_entry.interpreter", kPath},
    {"bpfmap_file_entry.map_name", kLabel},
    {"cg_member_entry.path", kCgroup},
    {"cgroup_dir_entry.dir_name", kCgroup},
    {"cgroup_perms.gid", kGroupId},
    {"cgroup_perms.uid", kUserId},
    {"creds_entry.egid", kGroupId},
    {"creds_entry.euid", kUserId},
    {"creds_entry.fsgid", kGroupId},
    {"creds_entry.fsuid", kUserId},
    {"creds_entry.gid", kGroupId},
    {"creds_entry.groups", kGroupId},
    {"creds_entry.lsm_profile", kLabel},
    {"creds_entry.lsm_sockcreate", kLabel},
    {"creds_entry.sgid", kGroupId},
    {"creds_entry.suid", kUserId},
    {"creds_entry.uid", kUserId},
    {"eventpoll_tfd_entry.dev", kDevice},
    {"fanotify_mark_entry.s_dev", kDevice},
    {"fanotify_mount_mark_entry.path", kWatchedPath},
    {"fdinfo_entry.xattr_security_selinux", kLabel},
    {"fh_entry.path", kWatchedPath},
    {"file_perms_entry.gid", kGroupId},
    {"file_perms_entry.uid", kUserId},
    {"fown_entry.euid", kUserId},
    {"fown_entry.uid", kUserId},
    {"ghost_file_entry.dev", kDevice},
    {"ghost_file_entry.gid", kGroupId},
    {"ghost_file_entry.rdev", kUserDevice},
    {"ghost_file_entry.symlnk_target", kLinkText},
    {"ghost_file_entry.uid", kUserId},
    {"inet_sk_entry.dst_addr", kAddress},
    {"inet_sk_entry.ifname", kLabel},
    {"inet_sk_entry.src_addr", kAddress},
    {"inotify_wd_entry.s_dev", kDevice},
    {"ipc_desc_entry.cgid", kGroupId},
    {"ipc_desc_entry.cuid", kUserId},
    {"ipc_desc_entry.gid", kGroupId},
    {"ipc_desc_entry.uid", kUserId},
    {"irmap_cache_entry.dev", kUserDevice},
    {"irmap_cache_entry.path", kPath},
    {"memfd_inode_entry.gid", kGroupId},
    {"memfd_inode_entry.name", kLabel},
    {"memfd_inode_entry.uid", kUserId},
    {"mnt_entry.ext_key", kMountKey},
    {"mnt_entry.mountpoint", kPath},
    {"mnt_entry.options", kMountOptions},
    {"mnt_entry.root", kMountRoot},
    {"mnt_entry.root_dev", kDevice},
    {"mnt_entry.source", kMountSource},
    {"raw_branch.path", kHostPath},
    {"raw_mapping.map_files_path", kPath},
    {"raw_mapping.maps_path", kPath},
    {"raw_union.mountpoint", kPath},
    {"raw_union.options", kMountOptions},
    {"raw_union.source", kMountSource},
    {"reg_file_entry.name", kPath},
    {"sit_entry.local", kAddress},
    {"sit_entry.remote", kAddress},
    {"task_core_entry.comm", kTaskName},
    {"thread_core_entry.comm", kTaskName},
    {"tty_data_entry.data", kPayload},
    {"tty_info_entry.dev", kUserDevice},
    {"tty_info_entry.gid", kGroupId},
    {"tty_info_entry.rdev", kUserDevice},
    {"tty_info_entry.uid", kUserId},
    {"tun_link_entry.group", kGroupId},
    {"tun_link_entry.owner", kUserId},
    {"unix_sk_entry.name", kSocketName},
    {"unix_sk_entry.name_dir", kPath},
    {"user_aarch64_fpsimd_context_entry.vregs", kVector},
    {"user_arm_vfpstate_entry.vfp_regs", kVector},
    {"user_loongarch64_fpregs_entry.regs", kVector},
    {"user_ppc64_fpstate_entry.fpregs", kVector},
    {"user_ppc64_vrstate_entry.vrregs", kVector},
    {"user_ppc64_vsxstate_entry.vsxregs", kVector},
    {"user_riscv64_d_ext_entry.f", kVector},
    {"user_s390_fpregs_entry.fprs", kVector},
    {"user_s390_vxrs_high_entry.regs", kVector},
    {"user_s390_vxrs_low_entry.regs", kVector},
    {"user_x86_fpregs_entry.st_space", kVector},
    {"user_x86_fpregs_entry.xmm_space", kVector},
    {"user_x86_xsave_entry.hi16_zmm", kVector},
    {"user_x86_xsave_entry.ymmh_space", kVector},
    {"user_x86_xsave_entry.zmm_upper", kVector},
    {"utsns_entry.domainname", kHostName},
    {"utsns_entry.nodename", kHostName},
};

static_assert(std::ranges::is_sorted(kRows, {}, &FieldRoleRow::field));

constexpr std::string_view kPackage = "ckpt.pb.";

}  // namespace

std::span<const FieldRoleRow> FieldRoles() { return kRows; }

const FieldRoleRow* FindFieldRole(std::string_view full_name) {
  if (!full_name.starts_with(kPackage)) return nullptr;
  full_name.remove_prefix(kPackage.size());
  const auto* row = std::ranges::lower_bound(kRows, full_name, {}, &FieldRoleRow::field);
  return row != std::end(kRows) && row->field == full_name ? row : nullptr;
}

size_t LimitOf(FieldRole role) {
  switch (role) {
    case kSocketName:
      return kMaxSocketNameBytes;
    case kPath:
    case kWatchedPath:
    case kLinkText:
    case kHostPath:
    case kMountRoot:
    case kMountSource:
    case kCgroup:
      return kMaxPathBytes;
    default:
      return SIZE_MAX;
  }
}

}  // namespace ckpt

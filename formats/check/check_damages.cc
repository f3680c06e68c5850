#include "formats/check/check_damages.h"

#include "formats/check/descriptor_damages.h"
#include "formats/check/event_damages.h"
#include "formats/check/image_damages.h"
#include "formats/check/memory_damages.h"
#include "formats/check/mount_damages.h"
#include "formats/check/namespace_damages.h"
#include "formats/check/page_damages.h"
#include "formats/check/socket_damages.h"
#include "formats/check/tree_damages.h"

namespace ckpt {

const std::vector<CheckDamage>& CheckDamages() {
  static const auto* const damages = new std::vector<CheckDamage>(JoinDamages(
      {ImageDamages(), TreeDamages(), MemoryDamages(), PageDamages(), DescriptorDamages(),
       EventDamages(), SocketDamages(), MountDamages(), NamespaceDamages()}));
  return *damages;
}

}  // namespace ckpt

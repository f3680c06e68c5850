#include "formats/check/socket_damages.h"

#include <string>

#include "formats/check/check_damage.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/sockets.pb.h"

namespace ckpt {

std::vector<CheckDamage> SocketDamages() {
  const auto in_packet = [](auto change) {
    return In<pb::sk_packet_entry>(ImageType::kSkQueues, change);
  };
  return {
      {"unix-peer", InFile([](pb::file_entry& file) {
         if (file.usk().peer() == 0) return false;
         file.mutable_usk()->set_peer(kNobody);
         return true;
       })},
      {"unix-name", InFile([](pb::file_entry& file) {
         if (!file.has_usk()) return false;
         file.mutable_usk()->set_name(std::string(109, '/'));
         return true;
       })},
      {"unix-directory", InFile([](pb::file_entry& file) {
         if (!file.has_usk()) return false;
         file.mutable_usk()->set_name_dir("run");
         return true;
       })},
      {"socket-duplicate",
       [](SampleContainer& sample) {
         uint32_t ino = 0;
         return sample.dump.Edit<pb::file_entry>(ImageType::kFiles, [&](pb::file_entry& file) {
           if (!file.has_usk()) return false;
           const bool is_second = ino != 0;
           if (is_second) file.mutable_usk()->set_ino(ino);
           ino = file.usk().ino();
           return is_second;
         });
       },
       {"unix-peer"}},
      {"tcp-stream", Without(ImageType::kTcpStream)},
      {"tcp-unused",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kTcpStream);
         if (name.empty()) return false;
         sample.dump.Set(ImageType::kTcpStream, kNobody, sample.dump.files().at(name));
         return true;
       }},
      {"queue-owner", in_packet([](pb::sk_packet_entry& packet) {
         packet.set_id_for(kNobody);
         return true;
       })},
      {"queue-file",
       in_packet([](pb::sk_packet_entry& packet) {
         if (packet.scm().empty() || packet.scm(0).rights().empty()) return false;
         packet.mutable_scm(0)->set_rights(0, kNobody);
         return true;
       }),
       {"file-unused"}},
      {"socket-namespace", InFile([](pb::file_entry& file) {
         if (!file.usk().has_ns_id()) return false;
         file.mutable_usk()->set_ns_id(kNobody);
         return true;
       })},
  };
}

}  // namespace ckpt

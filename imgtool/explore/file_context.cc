#include "imgtool/explore/file_context.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <utility>

#include "formats/image_message.h"
#include "formats/spelling.h"
#include "imgtool/explore/kernel_names.h"
#include "imgtool/explore/message_fields.h"

namespace ckpt {
namespace {

// More are a matter for --json: a pipe that a thousand processes share would be told of a million
// times.
constexpr size_t kHoldersShown = 4;

constexpr uint32_t kInet6 = 10;

bool IsReader(uint32_t flags) { return (flags & O_ACCMODE) != O_WRONLY; }
bool IsWriter(uint32_t flags) { return (flags & O_ACCMODE) != O_RDONLY; }

std::string EndText(uint32_t flags) {
  return IsReader(flags) ? (IsWriter(flags) ? "both ends" : "read end") : "write end";
}

std::string TimeText(uint64_t seconds, uint64_t nanoseconds) {
  return nanoseconds == 0 ? fmt::format("{} s", seconds)
                          : fmt::format("{}.{:09} s", seconds, nanoseconds);
}

std::string TimerText(const pb::timerfd_entry& timer) {
  std::string text = ClockText(timer.clockid());
  const bool is_armed = timer.vsec() != 0 || timer.vnsec() != 0;
  text += is_armed ? ", expires in " + TimeText(timer.vsec(), timer.vnsec()) : ", not armed";
  if (timer.isec() != 0 || timer.insec() != 0) {
    text += ", every " + TimeText(timer.isec(), timer.insec());
  }
  if (timer.ticks() != 0) text += fmt::format(", {} ticks", timer.ticks());
  return text;
}

std::string EpollText(const pb::eventpoll_file_entry& epoll) {
  std::string text = epoll.tfd().empty() ? "watches nothing" : "watches";
  for (const auto& target : epoll.tfd()) {
    text += fmt::format("{}{} {}", &target == &epoll.tfd(0) ? " " : ", ", target.tfd(),
                        EpollEventsText(target.events()));
  }
  return text;
}

// As unix(7) and ss(8) have it: an abstract name begins with @.
std::string UnixName(const pb::unix_sk_entry& socket) {
  std::string name = socket.name();
  if (name.empty()) return "";
  if (name.front() == '\0') return "@" + name.substr(1);
  if (name.back() == '\0') name.pop_back();
  const bool is_relative = !name.starts_with('/') && !socket.name_dir().empty();
  return (is_relative ? socket.name_dir() + "/" : "") + name +
         (socket.deleted() ? " (deleted)" : "");
}

std::string InetEnd(const google::protobuf::RepeatedField<uint32_t>& words, uint32_t port) {
  const auto address = SpellIpAddress({words.data(), static_cast<size_t>(words.size())});
  if (!address) return fmt::format("?:{}", port);
  return words.size() == 4 ? fmt::format("[{}]:{}", *address, port)
                           : fmt::format("{}:{}", *address, port);
}

SocketFacts NetlinkFacts(const pb::netlink_sk_entry& socket) {
  SocketFacts facts;
  facts.family = "netlink";
  facts.type = "RAW";
  facts.protocol = NetlinkProtocolText(socket.protocol());
  facts.state = SocketWord("state", socket.state());
  facts.local = fmt::format("port {}", socket.portid());
  if (socket.dst_portid() != 0 || socket.dst_group() != 0) {
    facts.peer = fmt::format("port {} group {}", socket.dst_portid(), socket.dst_group());
  }
  facts.inode = socket.ino();
  facts.net_ns_id = socket.ns_id();
  return facts;
}

SocketFacts PacketFacts(const pb::packet_sock_entry& socket) {
  SocketFacts facts;
  facts.family = "packet";
  facts.type = SocketWord("type", socket.type());
  facts.protocol = fmt::format("{:#06x}", ntohs(static_cast<uint16_t>(socket.protocol())));
  facts.local =
      socket.ifindex() == 0 ? "any interface" : fmt::format("interface {}", socket.ifindex());
  facts.net_ns_id = socket.ns_id();
  return facts;
}

std::string BpfText(const pb::bpfmap_file_entry& map) {
  return fmt::format("map {} \"{}\", type {}, at most {} entries", map.map_id(), map.map_name(),
                     map.map_type(), map.max_entries());
}

}  // namespace

bool IsSocket(const pb::file_entry& file) {
  return file.has_usk() || file.has_isk() || file.has_nlsk() || file.has_psk();
}

FileContext FileContext::Read(DumpReader& reader, const FileDescriptions& files,
                              const DescriptorTables& tables) {
  FileContext context(files, tables);
  for (auto& remap : reader.Entries<pb::remap_file_path_entry>(ImageType::kRemapFpath)) {
    context.remaps_.emplace(remap.orig_id(), remap);
  }
  for (auto& memfd : reader.Entries<pb::memfd_inode_entry>(ImageType::kMemfdInode)) {
    context.memfds_.emplace(memfd.inode_id(), memfd);
  }
  for (auto& tty : reader.Entries<pb::tty_info_entry>(ImageType::kTtyInfo)) {
    context.ttys_.emplace(tty.id(), tty);
  }
  for (const pb::file_entry& file : files.all()) {
    if (file.has_usk()) context.unix_by_inode_.emplace(file.usk().ino(), &file);
    if (file.has_pipe() || file.has_fifo()) context.AddPipe(file);
  }
  context.ReadQueues(reader);
  return context;
}

void FileContext::AddPipe(const pb::file_entry& file) {
  const pb::file_entry* regular =
      file.has_fifo() ? files_->Find(pb::REG, file.fifo().regf_id()) : nullptr;
  const uint32_t flags = file.has_pipe()      ? file.pipe().flags()
                         : regular != nullptr ? regular->reg().flags()
                                              : 0;
  PipeFacts& pipe = pipes_[file.has_pipe() ? file.pipe().pipe_id() : file.fifo().pipe_id()];
  for (const Holder& holder : tables_->HoldersOf(file)) {
    if (IsReader(flags)) pipe.readers.push_back(holder);
    if (IsWriter(flags)) pipe.writers.push_back(holder);
  }
}

void FileContext::ReadQueues(DumpReader& reader) {
  ReadPipeContent(reader, ImageType::kPipesData);
  ReadPipeContent(reader, ImageType::kFifoData);
  ReadSocketQueues(reader);
  for (const pb::file_entry& file : files_->all()) {
    if (!file.has_isk()) continue;
    auto stream = reader.Single<pb::tcp_stream_entry>(ImageType::kTcpStream, file.isk().ino());
    if (stream) streams_.emplace(file.isk().ino(), std::move(*stream));
  }
}

void FileContext::ReadPipeContent(DumpReader& reader, ImageType type) {
  const auto image = reader.Image(type);
  if (!image) return;
  for (const ImageEntry& entry : image->entries()) {
    const auto data = ParseMessageAs<pb::pipe_data_entry>(entry.message);
    if (!data) continue;  // the image was checked as it was read
    PipeFacts& pipe = pipes_[data.value().pipe_id()];
    pipe.queued_bytes += data.value().bytes();
    pipe.content = BytesText(AsText(entry.extra));
  }
}

void FileContext::ReadSocketQueues(DumpReader& reader) {
  const auto image = reader.Image(ImageType::kSkQueues);
  if (!image) return;
  for (const ImageEntry& entry : image->entries()) {
    const auto packet = ParseMessageAs<pb::sk_packet_entry>(entry.message);
    if (!packet) continue;
    SocketQueue& queue = queues_[packet.value().id_for()];
    queue.size_bytes += packet.value().length();
    queue.hash = HashBytes(AsText(entry.extra), queue.hash);
    queue.content += (queue.content.empty() ? "" : " ") + BytesText(AsText(entry.extra));
  }
}

bool FileContext::IsDeleted(const pb::file_entry& file) const {
  return file.has_reg() && remaps_.contains(file.id());
}

std::optional<uint32_t> FileContext::GhostOf(const pb::file_entry& file) const {
  const auto remap = file.has_reg() ? remaps_.find(file.id()) : remaps_.end();
  if (remap == remaps_.end() || remap->second.remap_type() != pb::GHOST) return std::nullopt;
  return remap->second.remap_id();
}

std::optional<uint32_t> FileContext::PipeIdOf(const pb::file_entry& file) const {
  if (file.has_pipe()) return file.pipe().pipe_id();
  if (file.has_fifo()) return file.fifo().pipe_id();
  return std::nullopt;
}

std::string FileContext::Describe(const pb::file_entry& file) const {
  if (file.has_reg()) return RegularText(file.reg());
  if (file.has_pipe()) return PipeText(file.pipe().pipe_id(), file.pipe().flags());
  if (file.has_fifo()) return FifoText(file.fifo());
  if (file.has_tty()) return TtyText(file.tty());
  if (file.has_memfd()) return MemfdText(file.memfd());
  if (IsSocket(file)) return SocketText(file);
  if (file.has_efd()) return fmt::format("count {}", file.efd().counter());
  if (file.has_epfd()) return EpollText(file.epfd());
  if (file.has_sgfd()) return "signals " + SignalSetText(file.sgfd().sigmask());
  if (file.has_tfd()) return TimerText(file.tfd());
  if (file.has_ify()) return InotifyText(file.ify());
  if (file.has_ffy()) return FanotifyText(file.ffy());
  if (file.has_nsf()) {
    return fmt::format("{}:[{}]", NamespaceKindText(file.nsf().ns_cflag()), file.nsf().ns_id());
  }
  if (file.has_tunf()) return fmt::format("device \"{}\"", file.tunf().netdev());
  if (file.has_ext()) return "known to a plugin";
  if (file.has_bpf()) return BpfText(file.bpf());
  if (file.has_pidfd()) return fmt::format("pid {}", file.pidfd().nspid());
  return "nothing about it in the dump";
}

std::string FileContext::PathOf(uint32_t file_id) const {
  const pb::file_entry* file = files_->FindMappable(file_id);
  return file != nullptr ? Describe(*file) : fmt::format("no file {} in the dump", file_id);
}

std::string FileContext::RegularText(const pb::reg_file_entry& reg) const {
  if (reg.ext()) return "external " + reg.name();
  const auto remap = remaps_.find(reg.id());
  if (remap == remaps_.end()) return reg.name();
  if (remap->second.remap_type() == pb::PROCFS) return reg.name() + " (process is gone)";
  return reg.name() + " (deleted)";
}

std::string FileContext::PipeText(uint32_t pipe_id, uint32_t flags) const {
  std::string text = fmt::format("pipe:[{}] {}", pipe_id, EndText(flags));
  const auto found = pipes_.find(pipe_id);
  if (found == pipes_.end()) return text;
  const PipeFacts& pipe = found->second;
  const bool shows_writers = IsReader(flags);
  const auto& others = shows_writers ? pipe.writers : pipe.readers;
  text += others.empty() ? fmt::format(", no {}", shows_writers ? "writers" : "readers")
                         : fmt::format(", {} {}", shows_writers ? "writers" : "readers",
                                       HoldersText(others, kHoldersShown));
  if (pipe.queued_bytes != 0) text += fmt::format(", {} bytes in it", pipe.queued_bytes);
  return text;
}

std::string FileContext::FifoText(const pb::fifo_entry& fifo) const {
  if (!fifo.has_regf_id()) return PipeText(fifo.pipe_id(), 0);
  const pb::file_entry* regular = files_->Find(pb::REG, fifo.regf_id());
  const uint32_t flags = regular != nullptr ? regular->reg().flags() : 0;
  return fmt::format("{}, {}", PathOf(fifo.regf_id()), PipeText(fifo.pipe_id(), flags));
}

std::string FileContext::TtyText(const pb::tty_file_entry& tty) const {
  std::string text = tty.has_regf_id() ? PathOf(tty.regf_id()) : "";
  const auto found = ttys_.find(tty.tty_info_id());
  if (found == ttys_.end()) return text.empty() ? "no tty-info" : text;
  const pb::tty_info_entry& info = found->second;
  text += text.empty() ? "" : ", ";
  text += pb::TtyType_Name(info.type());
  if (info.has_pty()) text += fmt::format(" {}", info.pty().index());
  if (info.sid() != 0) text += fmt::format(", session {}, foreground {}", info.sid(), info.pgrp());
  return text;
}

std::string FileContext::MemfdText(const pb::memfd_file_entry& memfd) const {
  const auto found = memfds_.find(memfd.inode_id());
  if (found == memfds_.end()) return fmt::format("memfd without inode {}", memfd.inode_id());
  const pb::memfd_inode_entry& inode = found->second;
  return inode.name().starts_with('/') ? inode.name() : "/memfd:" + inode.name();
}

uint64_t FileContext::SharedMemoryOf(const pb::memfd_file_entry& memfd) const {
  const auto found = memfds_.find(memfd.inode_id());
  return found == memfds_.end() ? memfd.inode_id() : found->second.shmid();
}

std::string FileContext::SocketText(const pb::file_entry& file) const {
  const SocketFacts facts = DescribeSocket(file);
  std::string text = facts.family;
  for (const std::string& word : {facts.type, facts.protocol, facts.state, facts.local}) {
    if (!word.empty()) text += " " + word;
  }
  if (!facts.peer.empty()) text += " -> " + facts.peer;
  return text;
}

std::string FileContext::WatchedPath(const pb::fh_entry& handle, uint64_t inode,
                                     uint32_t device) const {
  if (!handle.path().empty()) return handle.path();
  return fmt::format("inode {} of {}", inode, SpellKernelDevice(device));
}

std::string FileContext::InotifyText(const pb::inotify_file_entry& inotify) const {
  std::string text = inotify.wd().empty() ? "watches nothing" : "watches";
  for (const auto& watch : inotify.wd()) {
    text += fmt::format("{}{} {} {}", &watch == &inotify.wd(0) ? " " : ", ", watch.wd(),
                        WatchedPath(watch.f_handle(), watch.i_ino(), watch.s_dev()),
                        InotifyMaskText(watch.mask()));
  }
  return text;
}

std::string FileContext::FanotifyText(const pb::fanotify_file_entry& fanotify) const {
  std::string text = fanotify.mark().empty() ? "watches nothing" : "watches";
  for (const auto& mark : fanotify.mark()) {
    text += &mark == &fanotify.mark(0) ? " " : ", ";
    if (mark.has_ie()) {
      text += WatchedPath(mark.ie().f_handle(), mark.ie().i_ino(), mark.s_dev());
    } else {
      text += mark.me().path().empty() ? fmt::format("mount {}", mark.me().mnt_id())
                                       : "mount " + mark.me().path();
    }
    text += fmt::format(" {:#x}", mark.mask());
  }
  return text;
}

SocketFacts FileContext::DescribeSocket(const pb::file_entry& file) const {
  SocketFacts facts;
  if (file.has_usk()) facts = UnixFacts(file.usk());
  if (file.has_isk()) facts = InetFacts(file.isk());
  if (file.has_nlsk()) facts = NetlinkFacts(file.nlsk());
  if (file.has_psk()) facts = PacketFacts(file.psk());
  if (const auto queue = queues_.find(file.id()); queue != queues_.end()) {
    facts.received_bytes += queue->second.size_bytes;
    // Where a stream was cut into packets means nothing.
    facts.content =
        facts.type == "STREAM"
            ? fmt::format("{} bytes, hash {:016x}", queue->second.size_bytes, queue->second.hash)
            : queue->second.content;
  }
  return facts;
}

SocketFacts FileContext::UnixFacts(const pb::unix_sk_entry& socket) const {
  SocketFacts facts;
  facts.family = "unix";
  facts.type = SocketWord("type", socket.type());
  facts.state = SocketWord("state", socket.state());
  facts.local = UnixName(socket);
  facts.inode = socket.ino();
  facts.peer_inode = socket.peer();
  facts.net_ns_id = socket.ns_id();
  if (socket.peer() == 0) return facts;
  const auto peer = unix_by_inode_.find(socket.peer());
  if (peer == unix_by_inode_.end()) {
    facts.peer = fmt::format("inode {} outside the dump", socket.peer());
    return facts;
  }
  facts.peer = UnixName(peer->second->usk());
  const auto& holders = tables_->HoldersOf(*peer->second);
  if (facts.peer.empty()) {
    facts.peer = holders.empty() ? fmt::format("inode {}", socket.peer())
                                 : HoldersText(holders, kHoldersShown);
  }
  return facts;
}

SocketFacts FileContext::InetFacts(const pb::inet_sk_entry& socket) const {
  SocketFacts facts;
  facts.family = socket.family() == kInet6 ? "inet6" : "inet";
  facts.type = SocketWord("type", socket.type());
  facts.protocol = SocketWord("proto", socket.proto());
  facts.state = SocketWord("state", socket.state());
  facts.local = InetEnd(socket.src_addr(), socket.src_port());
  if (socket.dst_port() != 0) facts.peer = InetEnd(socket.dst_addr(), socket.dst_port());
  facts.inode = socket.ino();
  facts.net_ns_id = socket.ns_id();
  const auto stream = streams_.find(socket.ino());
  if (stream != streams_.end()) {
    facts.received_bytes = stream->second.inq_len();
    facts.unsent_bytes = stream->second.outq_len();
  }
  return facts;
}

}  // namespace ckpt

#include "formats/image_message.h"

#include <google/protobuf/stubs/logging.h>

#include <climits>

namespace ckpt {
namespace {

// A message cannot be longer for protobuf, whose lengths are of type int.
constexpr size_t kMaxMessageBytes = INT_MAX;

// protobuf prints its opinion of strings that are not UTF-8; paths need not be.
void SilenceProtobuf() {
  static const bool silenced = [] {
    google::protobuf::SetLogHandler(nullptr);
    return true;
  }();
  static_cast<void>(silenced);
}

std::string_view EntryMessage(const ImageTypeInfo& info, size_t index) {
  bool is_head = info.framing == ImageFraming::kHeadThenEntries && index == 0;
  return is_head ? info.head_message : info.entry_message;
}

}  // namespace

const google::protobuf::Descriptor* FindEntryDescriptor(ImageType type, size_t index) {
  std::string_view name = EntryMessage(GetImageType(type), index);
  if (name.empty()) return nullptr;
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  const auto* descriptor = pool->FindMessageTypeByName(fmt::format("ckpt.pb.{}", name));
  CKPT_CHECK(descriptor != nullptr);
  return descriptor;
}

Result<> ParseMessage(Bytes bytes, google::protobuf::Message& message) {
  SilenceProtobuf();
  if (bytes.size() > kMaxMessageBytes) {
    return MakeError(ErrorCode::kUnsupported, "message of {} bytes, at most {} are read",
                     bytes.size(), kMaxMessageBytes);
  }
  if (!message.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeError(ErrorCode::kBadFormat, "message of {} bytes is no {}", bytes.size(),
                     message.GetDescriptor()->name());
  }
  if (!message.IsInitialized()) {
    return MakeError(ErrorCode::kBadFormat, "{} without required {}",
                     message.GetDescriptor()->name(), message.InitializationErrorString());
  }
  return success();
}

Result<std::unique_ptr<google::protobuf::Message>> ParseMessageOf(
    const google::protobuf::Descriptor& descriptor, Bytes bytes) {
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  std::unique_ptr<google::protobuf::Message> message(factory->GetPrototype(&descriptor)->New());
  CKPT_TRY(ParseMessage(bytes, *message));
  return message;
}

Result<std::string> SerializeMessage(const google::protobuf::Message& message) {
  SilenceProtobuf();
  if (!message.IsInitialized()) {
    return MakeError(ErrorCode::kInternal, "{} without required {}",
                     message.GetDescriptor()->name(), message.InitializationErrorString());
  }
  return message.SerializePartialAsString();
}

}  // namespace ckpt

#include "imgtool/image_edits.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/extra.h"
#include "formats/image_message.h"
#include "formats/image_type.h"
#include "formats/image_writer.h"
#include "formats/proto/ipc.pb.h"
#include "formats/wire.h"

namespace ckpt {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

struct ResolvedField {
  std::vector<WireStep> path;
  const FieldDescriptor* field = nullptr;
};

// "wd[1]": the name and the occurrence.
Result<std::pair<std::string, size_t>> SplitOccurrence(std::string_view step) {
  const size_t bracket = step.find('[');
  if (bracket == std::string_view::npos) return std::pair(std::string(step), kLastOccurrence);
  const std::string_view digits = step.substr(bracket + 1);
  size_t occurrence = 0;
  const auto [end, problem] =
      std::from_chars(digits.data(), digits.data() + digits.size(), occurrence);
  if (problem != std::errc() || std::string_view(end, digits.data() + digits.size()) != "]") {
    return MakeError(ErrorCode::kInternal, "an edit names field {}", step);
  }
  return std::pair(std::string(step.substr(0, bracket)), occurrence);
}

// "reg.name" below a file_entry: the numbers of reg and of name.
Result<ResolvedField> ResolveField(const Descriptor* message, std::string_view names) {
  ResolvedField resolved;
  while (message != nullptr && !names.empty()) {
    const std::string_view step = names.substr(0, names.find('.'));
    CKPT_TRY(const auto name, SplitOccurrence(step));
    resolved.field = message->FindFieldByName(name.first);
    if (resolved.field == nullptr) {
      return MakeError(ErrorCode::kInternal, "{} has no field {}", message->full_name(),
                       name.first);
    }
    resolved.path.push_back({static_cast<uint32_t>(resolved.field->number()), name.second});
    message = resolved.field->message_type();
    names.remove_prefix(std::min(step.size() + 1, names.size()));
  }
  if (resolved.field == nullptr) return MakeError(ErrorCode::kInternal, "an edit names no field");
  return resolved;
}

Result<WireValue> Encode(const FieldDescriptor& field, const FieldValue& value) {
  const auto* bytes = std::get_if<std::string>(&value);
  const auto* number = std::get_if<int64_t>(&value);
  switch (field.type()) {
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
      if (bytes != nullptr) return WireValue::LengthDelimited(AsBytes(*bytes));
      break;
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SINT64:
      if (number != nullptr) return WireValue::ZigZag(*number);
      break;
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_UINT64:
    case FieldDescriptor::TYPE_BOOL:
    case FieldDescriptor::TYPE_ENUM:
      if (number != nullptr) return WireValue::Varint(static_cast<uint64_t>(*number));
      break;
    default:
      break;
  }
  return MakeError(ErrorCode::kInternal, "{} cannot be {}", field.full_name(), FieldText(value));
}

// All occurrences: a reader would take an earlier one for the value if only the last one went.
Result<std::string> RemoveAll(std::string message, WirePath path) {
  while (true) {
    auto shorter = RemoveWireField(AsBytes(message), path);
    if (shorter.has_error() && shorter.error().code == ErrorCode::kNotFound) return message;
    CKPT_TRY(message, std::move(shorter));
  }
}

Result<std::string> SetNumbers(std::string message, const ResolvedField& resolved,
                               const FieldNumbers& numbers) {
  CKPT_TRY(message, RemoveAll(std::move(message), resolved.path));
  for (const int64_t number : numbers) {
    CKPT_TRY(const WireValue value, Encode(*resolved.field, number));
    CKPT_TRY(message, InsertWireField(AsBytes(message), resolved.path, value));
  }
  return message;
}

Result<std::string> EditMessage(std::string message, const Descriptor* type, const Edit& edit) {
  CKPT_TRY(const ResolvedField resolved, ResolveField(type, edit.field));
  if (const auto* numbers = std::get_if<FieldNumbers>(&edit.new_value)) {
    return SetNumbers(std::move(message), resolved, *numbers);
  }
  if (resolved.path.back().occurrence != kLastOccurrence) {
    CKPT_TRY(const WireValue value, Encode(*resolved.field, edit.new_value));
    return ReplaceWireField(AsBytes(message), resolved.path, value);
  }
  if (std::holds_alternative<FieldAbsent>(edit.new_value)) {
    return RemoveAll(std::move(message), resolved.path);
  }
  CKPT_TRY(const WireValue value, Encode(*resolved.field, edit.new_value));
  return SetWireField(AsBytes(message), resolved.path, value);
}

struct ResolvedMove {
  std::vector<WireStep> from;
  std::vector<WireStep> to;
  std::string moved;
};

// Behind what it is in, and behind those whose numbers it does not change.
bool IsTakenFirst(const ResolvedMove& one, const ResolvedMove& other) {
  const auto position = [](const WireStep& step) {
    return std::pair(step.number, step.occurrence);
  };
  return std::ranges::lexicographical_compare(other.from, one.from, {}, position, position);
}

Result<std::string> MoveElements(std::string message, const Descriptor* type,
                                 std::span<const Move* const> moves) {
  std::vector<ResolvedMove> resolved;
  for (const Move* move : moves) {
    CKPT_TRY(ResolvedField from, ResolveField(type, move->from));
    CKPT_TRY(ResolvedField to, ResolveField(type, move->to));
    resolved.push_back({std::move(from.path), std::move(to.path), ""});
  }
  std::ranges::sort(resolved, IsTakenFirst);
  for (ResolvedMove& move : resolved) {
    CKPT_TRY(const WireField field, FindWireField(AsBytes(message), move.from));
    move.moved = AsText(field.value);
    CKPT_TRY(message, RemoveWireField(AsBytes(message), move.from));
  }
  for (auto at = resolved.rbegin(); at != resolved.rend(); ++at) {
    CKPT_TRY(message, InsertWireField(AsBytes(message), at->to,
                                      WireValue::LengthDelimited(AsBytes(at->moved))));
  }
  return message;
}

// What is to be done to one entry.
struct EntryPlan {
  std::vector<const Edit*> edits;
  std::vector<const Move*> moves;

  bool empty() const { return edits.empty() && moves.empty(); }
};

Result<std::string> EditEntry(const ImageFile& image, const ImageEntry& entry,
                              const EntryPlan& plan) {
  std::string message(AsText(entry.message));
  const Descriptor* type = FindEntryDescriptor(image.type(), entry.index);
  for (const Edit* edit : plan.edits) {
    auto edited = EditMessage(std::move(message), type, *edit);
    if (edited.has_error()) return std::move(edited).error().In(edit->place.Text());
    message = std::move(edited).value();
  }
  return MoveElements(std::move(message), type, plan.moves);
}

// Sorts them by entry.
Result<std::vector<EntryPlan>> ByEntry(const ImageFile& image, std::span<const Edit* const> edits,
                                       std::span<const Move* const> moves) {
  std::vector<EntryPlan> by_entry(image.entries().size());
  const auto check = [&](const EntryPlace& place) -> Result<> {
    if (place.entry < by_entry.size()) return success();
    return MakeError(ErrorCode::kInternal, "{}: the image has {} entries", place.Text(),
                     by_entry.size());
  };
  for (const Edit* edit : edits) {
    CKPT_TRY(check(edit->place));
    by_entry[edit->place.entry].edits.push_back(edit);
  }
  for (const Move* move : moves) {
    CKPT_TRY(check(move->place));
    by_entry[move->place.entry].moves.push_back(move);
  }
  return by_entry;
}

Result<std::string> ErasedExtra(const ImageFile& image, const ImageEntry& entry) {
  std::string erased(entry.extra.size(), '\0');
  if (GetImageType(image.type()).extra != ExtraKind::kMessages) return erased;
  // The heads of the messages say how long they are.
  erased = AsText(entry.extra);
  CKPT_TRY(const auto queue, ParseMessageAs<pb::ipc_msg_entry>(entry.message));
  CKPT_TRY(const QueuedMessages queued, ReadQueuedMessages(queue.qnum(), entry.extra));
  for (const QueuedMessage& message : queued.messages) {
    const auto at = static_cast<size_t>(message.text.data() - entry.extra.data());
    erased.replace(at, message.text.size(), message.text.size(), '\0');
  }
  return erased;
}

}  // namespace

Result<std::string> EditImage(const ImageFile& image, std::span<const Edit* const> edits,
                              std::span<const NewEntry* const> new_entries, ExtraChange extras,
                              std::span<const Move* const> moves) {
  CKPT_TRY(const auto by_entry, ByEntry(image, edits, moves));
  ImageEncoder encoder(image.type(), image.header_version());
  for (const ImageEntry& entry : image.entries()) {
    std::string extra(AsText(entry.extra));
    if (extras == ExtraChange::kErase) {
      CKPT_TRY(extra, ErasedExtra(image, entry));
    }
    if (by_entry[entry.index].empty()) {
      encoder.AppendOriginal(entry.message, AsBytes(extra));
      continue;
    }
    CKPT_TRY(const std::string message, EditEntry(image, entry, by_entry[entry.index]));
    encoder.AppendOriginal(AsBytes(message), AsBytes(extra));
  }
  for (const NewEntry* entry : new_entries) {
    encoder.AppendOriginal(AsBytes(entry->message), AsBytes(entry->extra));
  }
  CKPT_TRY(const ImageFile again,
           ImageFile::Parse(image.name() + " (edited)", image.type(), encoder.TakeBytes()));
  return std::string(AsText(again.bytes()));
}

Result<const FieldDescriptor*> FieldOfEdit(const Edit& edit) {
  const auto image = FindImageTypeByFileName(edit.place.image);
  const Descriptor* type = image ? FindEntryDescriptor(image->type, edit.place.entry) : nullptr;
  if (type == nullptr) {
    return MakeError(ErrorCode::kInternal, "{}: an edit of no message", edit.place.Text());
  }
  CKPT_TRY(const ResolvedField resolved, ResolveField(type, edit.field));
  return resolved.field;
}

Result<std::string> NewImage(const std::string& name, std::span<const NewEntry* const> entries) {
  const auto type = FindImageTypeByFileName(name);
  if (!type) return MakeError(ErrorCode::kInternal, "{}: no name of an image", name);
  ImageEncoder encoder(type->type);
  for (const NewEntry* entry : entries) {
    encoder.AppendOriginal(AsBytes(entry->message), AsBytes(entry->extra));
  }
  CKPT_TRY(const ImageFile again,
           ImageFile::Parse(name + " (new)", type->type, encoder.TakeBytes()));
  return std::string(AsText(again.bytes()));
}

}  // namespace ckpt

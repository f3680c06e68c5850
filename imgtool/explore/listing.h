// Where a view of a dump goes: tables for people or JSON for programs, from the same calls.
#ifndef IMGTOOL_EXPLORE_LISTING_H_
#define IMGTOOL_EXPLORE_LISTING_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace ckpt {

struct Column {
  std::string_view title;
  std::string_view key;  // of the field that it shows
  bool right = false;    // numbers stand at the right
};

// As JSON, the whole is one object: lists hold objects, which hold fields and lists. As text, a
// list with columns is a table; the fields of its rows that are in no column are left out, and so
// are all fields outside rows: Line() says what they say. Nothing is certain to have reached the
// stream before Finish(). A table is kept in memory until its end.
class Listing {
 public:
  virtual ~Listing() = default;

  // Without columns: objects that are no rows, or rows of the table that is open.
  virtual void BeginList(std::string_view key, std::span<const Column> columns = {}) = 0;
  virtual void EndList() = 0;
  virtual void BeginItem() = 0;
  virtual void EndItem() = 0;

  template <std::integral T>
  void Number(std::string_view key, T value) {
    if constexpr (std::is_signed_v<T>) {
      Signed(key, value);
    } else {
      Unsigned(key, value);
    }
  }
  virtual void Bool(std::string_view key, bool value) = 0;
  // Any bytes.
  virtual void Text(std::string_view key, std::string_view bytes) = 0;
  virtual void Numbers(std::string_view key, std::span<const uint64_t> values) = 0;

  // Text only: what a column shows, and a line outside tables.
  virtual void Cell(std::string_view key, std::string_view bytes) = 0;
  virtual void Line(std::string_view bytes) = 0;
  // A line that begins something new: set off from what stands before it.
  virtual void Heading(std::string_view bytes) = 0;

  virtual void Finish() = 0;
  // Nobody reads any more: whoever lists may end early.
  virtual bool stopped() const = 0;

 private:
  virtual void Unsigned(std::string_view key, uint64_t value) = 0;
  virtual void Signed(std::string_view key, int64_t value) = 0;
};

std::unique_ptr<Listing> MakeTextListing(std::ostream& out);
std::unique_ptr<Listing> MakeJsonListing(std::ostream& out);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_LISTING_H_

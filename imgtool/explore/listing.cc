#include "imgtool/explore/listing.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <vector>

#include "formats/json_text.h"
#include "imgtool/octal_text.h"

namespace ckpt {
namespace {

class JsonListing : public Listing {
 public:
  explicit JsonListing(std::ostream& out) : text_(out, JsonStyle::kPretty) { text_.BeginObject(); }

  void BeginList(std::string_view key, std::span<const Column>) override {
    text_.Key(key);
    text_.BeginArray();
  }
  void EndList() override { text_.EndArray(); }
  void BeginItem() override { text_.BeginObject(); }
  void EndItem() override { text_.EndObject(); }

  void Bool(std::string_view key, bool value) override {
    text_.Key(key);
    text_.Bool(value);
  }
  void Text(std::string_view key, std::string_view bytes) override {
    text_.Key(key);
    text_.String(bytes);
  }
  void Numbers(std::string_view key, std::span<const uint64_t> values) override {
    text_.Key(key);
    text_.BeginArray();
    for (const uint64_t value : values) text_.Number(value);
    text_.EndArray();
  }

  void Cell(std::string_view, std::string_view) override {}
  void Line(std::string_view) override {}
  void Heading(std::string_view) override {}

  void Finish() override {
    text_.CloseTo(0);
    text_.EndDocument();
    text_.Flush();
  }
  bool stopped() const override { return text_.stopped(); }

 private:
  void Unsigned(std::string_view key, uint64_t value) override {
    text_.Key(key);
    text_.Number(value);
  }
  void Signed(std::string_view key, int64_t value) override {
    text_.Key(key);
    text_.Number(value);
  }

  JsonText text_;
};

class TextListing : public Listing {
 public:
  explicit TextListing(std::ostream& out) : out_(out) {}

  void BeginList(std::string_view, std::span<const Column> columns) override {
    if (!columns.empty()) {
      CKPT_CHECK(columns_.empty());
      columns_ = columns;
      table_depth_ = depth_;
    }
    EndRow();
    ++depth_;
  }

  void EndList() override {
    --depth_;
    EndRow();
    if (columns_.empty() || depth_ != table_depth_) return;
    PrintTable();
    columns_ = {};
  }

  void BeginItem() override {
    if (!columns_.empty()) row_.assign(columns_.size(), "");
  }
  void EndItem() override { EndRow(); }

  void Bool(std::string_view key, bool value) override { Cell(key, value ? "yes" : "no"); }
  void Text(std::string_view key, std::string_view bytes) override { Cell(key, bytes); }
  void Numbers(std::string_view key, std::span<const uint64_t> values) override {
    Cell(key, fmt::format("{}", fmt::join(values, " ")));
  }

  void Cell(std::string_view key, std::string_view bytes) override {
    for (size_t i = 0; i < row_.size(); ++i) {
      if (columns_[i].key == key) row_[i] = EscapeOctal(bytes);
    }
  }

  void Line(std::string_view bytes) override {
    fmt::print(out_, "{}\n", EscapeOctal(bytes));
    is_first_ = false;
  }
  void Heading(std::string_view bytes) override {
    if (!is_first_) out_ << '\n';
    Line(bytes);
  }

  void Finish() override { out_.flush(); }
  bool stopped() const override { return !out_; }

 private:
  void Unsigned(std::string_view key, uint64_t value) override { Cell(key, fmt::to_string(value)); }
  void Signed(std::string_view key, int64_t value) override { Cell(key, fmt::to_string(value)); }

  // A row also ends where rows within it begin. One without anything to show is none.
  void EndRow() {
    if (std::ranges::all_of(row_, &std::string::empty)) row_.clear();
    if (row_.empty()) return;
    for (std::string& cell : row_) {
      if (cell.empty()) cell.push_back('-');
    }
    rows_.push_back(std::move(row_));
    row_.clear();
  }

  void PrintTable() {
    std::vector<size_t> widths;
    for (size_t i = 0; i < columns_.size(); ++i) {
      size_t width = columns_[i].title.size();
      for (const auto& row : rows_) width = std::max(width, row[i].size());
      widths.push_back(width);
    }
    std::vector<std::string> titles;
    for (const Column& column : columns_) titles.emplace_back(column.title);
    if (!rows_.empty()) PrintRow(titles, widths);
    for (const auto& row : rows_) PrintRow(row, widths);
    rows_.clear();
  }

  void PrintRow(const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const bool is_last = i + 1 == cells.size();
      if (i > 0) line += ' ';
      if (columns_[i].right) {
        line += fmt::format("{:>{}}", cells[i], widths[i]);
      } else {
        line += is_last ? cells[i] : fmt::format("{:<{}}", cells[i], widths[i]);
      }
    }
    fmt::print(out_, "{}\n", line);
  }

  std::ostream& out_;
  std::span<const Column> columns_;  // of the open table
  size_t depth_ = 0;                 // lists that are open
  size_t table_depth_ = 0;           // of them outside the table
  bool is_first_ = true;
  std::vector<std::string> row_;  // of the open item
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

std::unique_ptr<Listing> MakeTextListing(std::ostream& out) {
  return std::make_unique<TextListing>(out);
}

std::unique_ptr<Listing> MakeJsonListing(std::ostream& out) {
  return std::make_unique<JsonListing>(out);
}

}  // namespace ckpt

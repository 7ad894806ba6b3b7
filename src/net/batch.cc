#include "net/batch.h"

#include <algorithm>

namespace stormo::net {
namespace {

bool comesBefore(const Piece& a, const Piece& b) {
  return a.order != b.order ? a.order < b.order : a.begin < b.begin;
}

}  // namespace

void collectPieces(const Batch& batch, Handle connection, std::vector<Piece>& out) {
  const auto& runs = batch.runs();
  // Runs and exclusions are in the order of their bytes: they were made while the batch grew.
  auto hole = batch.exclusions().begin();
  const auto holesEnd = batch.exclusions().end();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::size_t begin = runs[i].begin;
    const std::size_t end = i + 1 < runs.size() ? runs[i + 1].begin : batch.size();
    while (begin < end) {
      while (hole != holesEnd && (hole->connection != connection || hole->end <= begin)) ++hole;
      const std::size_t pieceEnd = hole == holesEnd ? end : std::min(hole->begin, end);
      if (begin < pieceEnd) out.push_back({runs[i].order, &batch.bytes(), begin, pieceEnd - begin});
      begin = pieceEnd == end ? end : hole->end;
    }
  }
}

void collectPieces(const Batch& batch, Handle connection, std::vector<DroppablePiece>& out) {
  std::vector<Piece> pieces;
  collectPieces(batch, connection, pieces);
  const Batch::Droppable* const droppable = batch.droppable();
  for (Piece piece : pieces) {
    if (droppable == nullptr) {
      out.push_back({.piece = piece, .source = {}});
      continue;
    }
    // Runs and exclusions end where messages do.
    auto unit =
        std::ranges::upper_bound(droppable->units, piece.begin, {}, &Batch::Droppable::Unit::end);
    for (const std::size_t end = piece.begin + piece.length; piece.begin < end; ++unit) {
      piece.length = unit->end - piece.begin;
      out.push_back({.piece = piece, .source = droppable->source, .messages = unit->messages});
      piece.begin = unit->end;
    }
  }
}

void sortPieces(std::vector<Piece>& pieces) {
  std::sort(pieces.begin(), pieces.end(), comesBefore);
}

void sortPieces(std::vector<DroppablePiece>& pieces) {
  std::ranges::stable_sort(pieces, comesBefore, &DroppablePiece::piece);
}

void joinNeighbours(std::vector<Piece>& pieces) {
  if (pieces.empty()) return;
  std::size_t last = 0;
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const bool follows = pieces[i].buffer == pieces[last].buffer &&
                         pieces[i].begin == pieces[last].begin + pieces[last].length;
    if (follows) {
      pieces[last].length += pieces[i].length;
    } else {
      pieces[++last] = pieces[i];
    }
  }
  pieces.resize(last + 1);
}

}  // namespace stormo::net

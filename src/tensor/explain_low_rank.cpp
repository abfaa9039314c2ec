// new == old + scale * (b @ a).
//
// The tolerance of one element. With u(t) the unit roundoff of a dtype t (2^-8 for bfloat16, 2^-24 for
// float32) and p an element of b @ a, whoever computed `new` has rounded
//   the sum, to the dtype of new:                       u(new) |new|
//   p, and p times the scale, to some dtype at hand:    2 u |scale p|,          u the largest of all four
//   every step of the product, in float32 or better:    rank u(float32) |scale| sum_k |b_ik a_kj|
// and the last sum is at most |b_i| |a_j|, the product of the norms (Cauchy-Schwarz), which costs nothing to
// have. Each is taken twice: roundings may meet, and the scale is itself an estimate. Below the normal
// numbers an error is not relative: one smallest step of the coarsest dtype for each rounding. Our own
// arithmetic is double, and only shows where everything is float64, as the same terms.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include <Eigen/Core>
#include <fmt/format.h>

#include "tensor/decode.h"
#include "tensor/explain_parts.h"
#include "tensor/float_codes.h"

namespace ckpt::tensor {
namespace {

constexpr std::uint64_t kFactorBytes = std::uint64_t{256} << 20;  // a and b as doubles
constexpr std::uint64_t kBlockElements = std::uint64_t{1} << 15;  // of the rows that are computed together

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const Matrix>;
using Index = Eigen::Index;

double unit_roundoff(DType dtype) { return std::ldexp(1.0, -float_codes(dtype).mantissa - 1); }
double smallest_step(DType dtype) { return std::ldexp(1.0, float_codes(dtype).least); }

// The elements of a matrix as doubles, a few rows at a time, in C order.
class RowReader {
 public:
  explicit RowReader(const TensorRef& ref)
      : plan_(plan_every_element(*ref.view, *ref.storage)),
        decoder_(make_decoder(*ref.view)),
        columns_(ref.view->shape[1]),
        reader_({ref.view, ref.storage, &plan_.layout}, 0, plan_.layout.count, block_, Tuning{}) {}
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  Rows next(Index rows) {
    const auto elements = reader_.next(static_cast<std::size_t>(rows * columns_));
    values_.resize(static_cast<std::size_t>(rows * columns_));
    decode_doubles(decoder_, elements, 0, values_.data());
    return {values_.data(), rows, columns_};
  }

 private:
  Plan plan_;
  Decoder decoder_;
  Index columns_;
  Buffer block_;
  BlockReader reader_;
  std::vector<double> values_;
};

// Errors of one update, as in the head of this file: |new| * sum + |scale| * (|p| * product + norms * steps)
// + least.
struct Tolerances {
  double sum = 0;
  double product = 0;
  double steps = 0;
  double least = 0;
};

Tolerances tolerances(DType old_dtype, DType new_dtype, DType a, DType b, double rank) {
  const double coarsest =
      std::max({unit_roundoff(old_dtype), unit_roundoff(new_dtype), unit_roundoff(a), unit_roundoff(b)});
  const bool all_double = a == DType::kFloat64 && b == DType::kFloat64;
  const double step = unit_roundoff(all_double ? DType::kFloat64 : DType::kFloat32);
  const double least = std::max({smallest_step(new_dtype), smallest_step(a), smallest_step(b)});
  return {2 * unit_roundoff(new_dtype), 2 * 2 * coarsest, 2 * (rank + 2) * step, 2 * 3 * least};
}

struct Sums {
  double update_square = 0;      // sum p^2
  double update_difference = 0;  // sum p (new - old)
  double rounding_square = 0;    // sum of squares of the error of new alone
};

// What the elements say, but for the one that says most: the fit may have used it up. Elements with one and
// the same update say it together, as a constant says nothing about a scale.
class Evidence {
 public:
  void add(double update, double over_tolerance) {
    if (enough() || !(over_tolerance > 1) || seen_.size() == kMostSeen) return;
    if (!seen_.insert(std::abs(update)).second) return;
    const double says = std::min<double>(std::log2(over_tolerance), significant_bits(update));
    bits_ += says;
    most_ = std::max(most_, says);
  }
  bool enough() const { return bits_ - most_ >= kEvidenceBits; }

 private:
  static constexpr std::size_t kMostSeen = 4096;
  std::unordered_set<double> seen_;
  double bits_ = 0;
  double most_ = 0;
};

class Update {
 public:
  Update(const TensorRef& old_tensor, const TensorRef& new_tensor, const TensorRef& a, const TensorRef& b)
      : old_(old_tensor),
        new_(new_tensor),
        a_(read_all(a)),
        b_(read_all(b)),
        column_norms_(a_.colwise().norm()),
        tolerances_(tolerances(old_tensor.view->dtype, new_tensor.view->dtype, a.view->dtype, b.view->dtype,
                               static_cast<double>(a_.rows()))) {}

  Sums sums() const {
    Sums sums;
    visit_blocks([&](const Rows& old_rows, const Rows& new_rows, const Matrix& update, Index) {
      sums.update_square += update.squaredNorm();
      sums.update_difference += update.cwiseProduct(new_rows - old_rows).sum();
      sums.rounding_square += new_rows.squaredNorm() * tolerances_.sum * tolerances_.sum;
      return true;
    });
    return sums;
  }

  // Of the fitted scale. It averages the roundings of all elements: a typical one over
  // the norm of the update.
  double uncertainty(const Sums& sums, double scale) const {
    const double root = std::sqrt(static_cast<double>(a_.cols()) * static_cast<double>(b_.rows()));
    const double of_sum = std::sqrt(sums.rounding_square / sums.update_square) / root;
    return of_sum + tolerances_.product * std::abs(scale) / root;
  }

  // Every element within its tolerance, and enough of them larger than it.
  bool holds(double scale) const {
    Evidence evidence;
    const bool all = visit_blocks([&](const Rows& old_rows, const Rows& new_rows, const Matrix& update,
                                      Index first) {
      for (Index i = 0; i < update.rows(); ++i) {
        const double steps = std::abs(scale) * b_.row(first + i).norm() * tolerances_.steps;
        for (Index j = 0; j < update.cols(); ++j) {
          const double change = scale * update(i, j);
          const double tolerance = std::abs(new_rows(i, j)) * tolerances_.sum +
                                   std::abs(change) * tolerances_.product + steps * column_norms_[j] +
                                   tolerances_.least * (1 + std::abs(scale));
          // Written so that NaN and infinities do not pass.
          if (!(std::abs(new_rows(i, j) - old_rows(i, j) - change) <= tolerance) || !std::isfinite(tolerance))
            return false;
          evidence.add(update(i, j), std::abs(change) / tolerance);
        }
      }
      return true;
    });
    return all && evidence.enough();
  }

 private:
  static Matrix read_all(const TensorRef& ref) { return RowReader(ref).next(ref.view->shape[0]); }

  // visit(old rows, new rows, the rows of b @ a, index of the first row) until it says false; true if it
  // never did. The product is summed in the order of rank, element by element: Eigen's own product of
  // matrices sums in an order that depends on the sizes of the machine's caches.
  template <class Visit>
  bool visit_blocks(Visit visit) const {
    RowReader old_reader(old_);
    RowReader new_reader(new_);
    const Index at_once = std::max<Index>(static_cast<Index>(kBlockElements) / a_.cols(), 1);
    Matrix update;
    for (Index first = 0; first < b_.rows(); first += at_once) {
      const Index rows = std::min(at_once, b_.rows() - first);
      update.setZero(rows, a_.cols());
      for (Index k = 0; k < a_.rows(); ++k) update.noalias() += b_.col(k).segment(first, rows) * a_.row(k);
      if (!visit(old_reader.next(rows), new_reader.next(rows), update, first)) return false;
    }
    return true;
  }

  TensorRef old_, new_;
  Matrix a_, b_;
  Eigen::RowVectorXd column_norms_;
  Tolerances tolerances_;
};

// The number with the fewest digits near `value`, no farther than the fit is uncertain.
double shortest_near(double value, double uncertainty) {
  for (int digits = 0; digits < 17; ++digits) {
    const std::string text = fmt::format("{:.{}e}", value, digits);
    double rounded = 0;
    std::from_chars(text.data(), text.data() + text.size(), rounded);
    if (std::abs(rounded - value) <= uncertainty) return rounded;
  }
  return value;
}

bool are_factors(const TensorView& old_view, const TensorView& new_view, const TensorView& a,
                 const TensorView& b) {
  for (const TensorView* view : {&old_view, &new_view, &a, &b}) {
    if (view->shape.size() != 2 || !has_float_codes(view->dtype) || view->dtype == DType::kFloat8E8M0Fnu)
      return false;
    if (checked_numel(view->shape).value_or(0) == 0) return false;
  }
  if (old_view.shape != new_view.shape || a.shape[0] != b.shape[1]) return false;
  if (b.shape[0] != old_view.shape[0] || a.shape[1] != old_view.shape[1]) return false;
  const std::uint64_t most = kFactorBytes / sizeof(double);
  const std::uint64_t of_a = *checked_numel(a.shape);
  return of_a <= most && *checked_numel(b.shape) <= most - of_a;
}

}  // namespace

std::optional<LowRankUpdate> find_low_rank_update(const TensorRef& old_tensor, const TensorRef& new_tensor,
                                                  const TensorRef& a, const TensorRef& b) {
  if (!are_factors(*old_tensor.view, *new_tensor.view, *a.view, *b.view)) return std::nullopt;
  return unless_too_costly([&]() -> std::optional<LowRankUpdate> {
    const Update update(old_tensor, new_tensor, a, b);
    const Sums sums = update.sums();
    const double fitted = sums.update_difference / sums.update_square;
    if (!std::isfinite(fitted) || fitted == 0) return std::nullopt;
    const auto rank = static_cast<std::uint64_t>(a.view->shape[0]);
    for (const double scale : {shortest_near(fitted, update.uncertainty(sums, fitted)), fitted})
      if (scale != 0 && update.holds(scale)) return LowRankUpdate{scale, rank};
    return std::nullopt;
  });
}

}  // namespace ckpt::tensor

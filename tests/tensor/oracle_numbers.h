// Numbers that torch 2.13.0 and numpy 2.4.6 computed for a few small tensors: elements as torch stores them,
// the SHA-256 of these bytes, and statistics in float64.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "tensor/dtype.h"

namespace ckpt::tensor {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

struct OracleRow {
  std::string_view note;
  DType dtype;
  std::int64_t numel;
  std::string_view hex;
  std::string_view sha256;
  std::uint64_t nan, posinf, neginf, zeros, negative;
  double min, max, mean, mean_imag, std, l2;
};

constexpr OracleRow kOracle[] = {
    {"special values as float64", DType::kFloat64, 10,
     "00000000000000000000000000000080000000000000f83f00000000000002c00000000000000840000000000000f87f0000000"
     "00000f07f000000000000f0ff000000a09999b93f0000000000001cc0",
     "2a3129150ad0638e882e18ba617ff9575fc55c065db87e43fa2f40afdfc01bf5", 1, 1, 1, 2, 3, -kInf, kInf,
     -0.6642857140728405, 0.0, 2.9816958604805794, 8.0822336021856},
    {"special values as float32", DType::kFloat32, 10,
     "00000000000000800000c03f000010c0000040400000c07f0000807f000080ffcdcccc3d0000e0c0",
     "c65d7f9a7608a6e8581d125adfa153cb0fbd3564610f0ed5dc8b3a919d8bb9dd", 1, 1, 1, 2, 3, -kInf, kInf,
     -0.6642857140728405, 0.0, 2.9816958604805794, 8.0822336021856},
    {"special values as float16", DType::kFloat16, 10, "00000080003e80c00042007e007c00fc662e00c7",
     "d30702087e6ef3241aa5cf181c5f63ec80c8db4b8aa0b968cabe5ccedd6528f4", 1, 1, 1, 2, 3, -kInf, kInf,
     -0.6642892020089286, 0.0, 2.981694966444516, 8.082233300133296},
    {"special values as bfloat16", DType::kBFloat16, 10, "00000080c03f10c04040ffff807f80ffcd3de0c0",
     "6fa6173c80edc3cc26279838f7a833f4bb9ab5829f3ebbaf63ae3a93e645fa4d", 1, 1, 1, 2, 3, -kInf, kInf,
     -0.6642717633928571, 0.0, 2.9816994365941083, 8.082234811039998},
    {"special values as float8_e5m2", DType::kFloat8E5M2, 10, "00803ec0427f7cfc2ec7",
     "5112aa9c2296b05647c623c11714e1b18a9eeeece4bad24c17c4119b942e6055", 1, 1, 1, 2, 3, -kInf, kInf,
     -0.6294642857142857, 0.0, 2.9637141768292663, 8.016157998848326},
    {"values as float8_e4m3fn", DType::kFloat8E4M3Fn, 7, "003cc1447f1dce",
     "9fde0066b494ae94bb27d09dfaf5358b6542fe65f0dfd42ce7a244d65f38887d", 1, 0, 0, 1, 2, -7.0, 3.0,
     -0.7747395833333334, 0.0, 3.2073219984255092, 8.08225308570613},
    {"values as float8_e5m2fnuz", DType::kFloat8E5M2Fnuz, 7, "0042c4468032cb",
     "2fb8c76f05b388502434d01d0d3e6f4d47ad03cbcb68cc5cde83798f695ba3ff", 1, 0, 0, 1, 2, -7.0, 3.0, -0.734375,
     0.0, 3.189120809323211, 8.016157998848326},
    {"values as float8_e4m3fnuz", DType::kFloat8E4M3Fnuz, 7, "0044c94c8025d6",
     "4a9876a75eb50ffb0966ee68c8864ae16f1d1af833ebb349fa020b24c14ef24c", 1, 0, 0, 1, 2, -7.0, 3.0,
     -0.7747395833333334, 0.0, 3.2073219984255092, 8.08225308570613},
    {"powers of two", DType::kFloat8E8M0Fnu, 5, "00017f82c8",
     "544dcce941c2d89ca6257d663f52f796c30560641ca833db00400ece78c4ae04", 0, 0, 0, 0, 0, 5.877471754111438e-39,
     9.44473296573929e+21, 1.8889465931478582e+21, 0.0, 3.7778931862957164e+21, 9.44473296573929e+21},
    {"37 normal floats", DType::kFloat32, 37,
     "851b90bf8a8093bfd64b80be5d25debe1545593f8327313f6dcca1bec15f07c03801a53ef4b4a1bfff30b33ebbc39d3e776ff53"
     "d936b9e3f8ef28e3f7c367dbec223adbf4614d9bf0410113f5d234b3f8b4d193fd637e63df80a243f3cdfe13e420b5dbea3173e"
     "bf820e103fe2ed843ed52232be55571340b704bcbf9e18cbbf3c039a3f8720ad3d2b9e99bfaed19cbb8da004bf",
     "d76c1c2cf8e8f36811f99ef79e3dab34e35ff9c1de20121b7734766f8473d230", 0, 0, 0, 0, 18, -2.1152193546295166,
     2.3022053241729736, -0.08926982430086748, 0.0, 0.9569243576152758, 5.846016859874789},
    // The standard deviation is that of exact rationals; numpy's own is off by 1e-8 here.
    {"mean far above the spread", DType::kFloat64, 19,
     "0f16000065cdcd41efd1ffff64cdcd4179e4ffff64cdcd410d06000065cdcd4111e1ffff64cdcd419ae8ffff64cdcd411cd5fff"
     "f64cdcd41a1dcffff64cdcd415e15000065cdcd414962000065cdcd41e904000065cdcd4166fcffff64cdcd415ae9ffff64cdcd"
     "41d717000065cdcd41a0d2ffff64cdcd41cadbffff64cdcd41c62d000065cdcd412ddfffff64cdcd41074b000065cdcd41",
     "e2f5d84a46456cb7a6f1a25c38582f86856aa6d7f208f0507c6aba2a785d14af", 0, 0, 0, 0, 0, 999999999.9985942,
     1000000000.0029994, 999999999.9999202, 0.0, 0.001238161495858861, 4358898943.540327},
    {"denormals and the largest float", DType::kFloat32, 4, "0100000001000080ffff7f7f00008000",
     "9c083b7a03a66247f66eddd38313758cd0d326e7d9bcac04b8a9e2413762883b", 0, 0, 0, 0, 1,
     -1.401298464324817e-45, 3.4028234663852886e+38, 8.5070586659632215e+37, 0.0, 1.4734657832417414e+38,
     3.4028234663852886e+38},
    {"extremes of int8", DType::kInt8, 5, "80ff00017f",
     "fedabe10e61b00d9130050169d6796dd86fc72aeb4e895cc0f8ef1901bed5827", 0, 0, 0, 1, 2, -128.0, 127.0, -0.2,
     0.0, 80.64093253429056, 180.31916148873364},
    {"extremes of int16", DType::kInt16, 5, "0080ffff00000100ff7f",
     "556753b4da9b39610600e40b9673205bc62e4df0f649c9957c6282bd59ab42a0", 0, 0, 0, 1, 2, -32768.0, 32767.0,
     -0.2, 0.0, 20723.986657011723, 46340.24293203479},
    {"extremes of int32", DType::kInt32, 5, "00000080ffffffff0000000001000000ffffff7f",
     "467a25e97fd2b7b9e93fee50fff7a55f37a688ee8f9309a31d35410be2baf8de", 0, 0, 0, 1, 2, -2147483648.0,
     2147483647.0, -0.2, 0.0, 1358187912.8132312, 3037000499.268943},
    {"extremes of int64", DType::kInt64, 5,
     "fbffffffffffffffffffffffffffffff000000000000000001000000000000004d00000000000000",
     "5434a1fa1d65aad844425928434f197711d4c1fa37d4d599ad653657b0f7b67c", 0, 0, 0, 1, 2, -5.0, 77.0, 14.4, 0.0,
     31.366223872184552, 77.17512552629896},
    {"extremes of uint8", DType::kUInt8, 4, "000107ff",
     "d1abba700e65882391c04fc4eb84d9b3891942888e20372f9ca1be125a39a71d", 0, 0, 0, 1, 0, 0.0, 255.0, 65.75,
     0.0, 109.29632884960043, 255.09802037648194},
    {"extremes of uint16", DType::kUInt16, 4, "000001000700ffff",
     "e183f303934a634f463170b3a64e8afb1315e2712b69c15b5be7e1052c8544ef", 0, 0, 0, 1, 0, 0.0, 65535.0,
     16385.75, 0.0, 28376.332844247157, 65535.00038147555},
    {"extremes of uint32", DType::kUInt32, 4, "000000000100000007000000ffffffff",
     "24dd46fc726116e7f58ab57ba8f5bae3dde529822ccc8d19cc1abe8a81fa1784", 0, 0, 0, 1, 0, 0.0, 4294967295.0,
     1073741825.75, 0.0, 1859775391.791966, 4294967295.0},
    {"uint64", DType::kUInt64, 3, "000000000000000003000000000000000000000000010000",
     "0cf438bd87d10fdd570fd7b4ad65fcdce40f7922336ab57c86cb5674ca44c37b", 0, 0, 0, 1, 0, 0.0, 1099511627776.0,
     366503875926.3333, 0.0, 518314751995.2054, 1099511627776.0},
    {"bool", DType::kBool, 4, "01000101", "52a5c4a10657220cac05c63adfa923c7771c55d868a58ee360eb3d1511985c3e",
     0, 0, 0, 1, 0, 0.0, 1.0, 0.75, 0.0, 0.4330127018922193, 1.7320508075688772},
    {"complex64", DType::kComplex64, 5,
     "0000803f0000004000000080000040c000000000000000000000c07f0000803f00002040000080bf",
     "b1870840679aeb0ea9c760dce751989440f150acea58608751a6f082be86b8dd", 1, 0, 0, 1, 0, kNaN, kNaN, 0.875,
     -0.5, 2.072890493972125, 4.6097722286464435},
    {"complex128", DType::kComplex128, 5,
     "000000000000f03f0000000000000040000000000000008000000000000008c0000000000000000000000000000000000000000"
     "00000f03f000000000000f87f0000000000000440000000000000f0bf",
     "a0b394725d2c6ee5467b827822ad03fc7ddf38045fe1473be4d75ae63441c66c", 1, 0, 0, 1, 0, kNaN, kNaN, 0.875,
     -0.5, 2.072890493972125, 4.6097722286464435},
    {"complex32", DType::kComplex32, 4, "003c0040008000c200000000004100bc",
     "072e1f53fc4e48edee860d77660a4f688a04de4a964582a597b63a7d5045d102", 0, 0, 0, 1, 0, kNaN, kNaN, 0.875,
     -0.5, 2.072890493972125, 4.6097722286464435},
};

// torch.isclose(new, old, rtol, atol, equal_nan=True) of float64 scalars.
struct CloseRow {
  double old_value, new_value, rtol, atol;
  bool close;
};

constexpr CloseRow kClose[] = {
    {1.0, 1.0, 0.0, 0.0, true},          {1.0, 1.1, 0.1, 0.0, false},
    {1.0, 1.1, 0.11, 0.0, true},         {1.1, 1.0, 0.1, 0.0, true},
    {10.0, 9.0, 0.1, 0.0, true},         {9.0, 10.0, 0.1, 0.0, false},
    {9.0, 10.0, 0.112, 0.0, true},       {0.0, 1e-09, 1e-05, 1e-08, true},
    {0.0, 1e-07, 1e-05, 1e-08, false},   {0.0, -0.0, 0.0, 0.0, true},
    {kNaN, kNaN, 0.0, 0.0, true},        {kNaN, 1.0, 1.0, 1.0, false},
    {1.0, kNaN, 1.0, 1.0, false},        {kInf, kInf, 0.0, 0.0, true},
    {kInf, -kInf, 1.0, 1.0, false},      {kInf, 1.0, 1.0, 1.0, false},
    {1.0, kInf, 1.0, 1.0, false},        {-5.0, -5.00004, 1e-05, 0.0, true},
    {-5.0, -5.00006, 1e-05, 0.0, false}, {1e+308, -1e+308, 3.0, 0.0, false},
    {3.0, 3.5, 0.0, 0.5, true},          {3.0, 3.5000001, 0.0, 0.5, false},
};

}  // namespace ckpt::tensor

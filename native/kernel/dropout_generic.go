package kernel

import "math/bits"

func dropoutGeneric[T Float](out, x []T, counter [4]uint32, key [2]uint32, threshold uint32, scale T) {
	for i := 0; i < len(x); i += 4 {
		random := philox(counter, key)
		for j := i; j < min(i+4, len(x)); j++ {
			if random[j-i] < threshold {
				out[j] = 0
			} else {
				out[j] = x[j] * scale
			}
		}
		counter[0]++
	}
}

// philox is Philox4x32-10, a random function of a counter and a key.
func philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	const m0, m1 = 0xD2511F53, 0xCD9E8D57
	const w0, w1 = 0x9E3779B9, 0xBB67AE85
	for range 10 {
		hi0, lo0 := bits.Mul32(m0, counter[0])
		hi1, lo1 := bits.Mul32(m1, counter[2])
		counter = [4]uint32{hi1 ^ counter[1] ^ key[0], lo1, hi0 ^ counter[3] ^ key[1], lo0}
		key[0] += w0
		key[1] += w1
	}
	return counter
}

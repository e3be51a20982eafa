//go:build ignore

// C = op(A)·op(B) in float32 by OpenBLAS: the peer of the matrix multiply.
//
//	cc -O2 openblas.c -lopenblas -o openblas && OPENBLAS_NUM_THREADS=1 ./openblas 1024 768 3072 false true
//
// The arguments are m, n, k and whether A and B are transposed. For each line that it reads it prints GFLOP/s: those of
// the fastest of the products that fit in a third of a second.
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static float *matrix(long n) {
  float *x = malloc(n * sizeof *x);
  for (long i = 0; i < n; i++) x[i] = rand() / (float)RAND_MAX - 0.5f;
  return x;
}

static double measure(int m, int n, int k, int trans_a, int trans_b, const float *a, const float *b, float *c) {
  double begin = now(), best = 1e9;
  while (now() - begin < 1 / 3.0) {
    double t = now();
    cblas_sgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans, trans_b ? CblasTrans : CblasNoTrans, m, n, k, 1, a,
                trans_a ? m : k, b, trans_b ? k : n, 0, c, n);
    t = now() - t;
    if (t < best) best = t;
  }
  return 2.0 * m * n * k / best / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 6) return fprintf(stderr, "usage: openblas m n k transA transB\n"), 2;
  int m = atoi(argv[1]), n = atoi(argv[2]), k = atoi(argv[3]), trans_a = *argv[4] == 't', trans_b = *argv[5] == 't';
  float *a = matrix((long)m * k), *b = matrix((long)k * n), *c = matrix((long)m * n);
  measure(m, n, k, trans_a, trans_b, a, b, c);
  char name[64] = "OpenBLAS", version[64] = "";
  sscanf(openblas_get_config(), "%63s %63s", name, version);
  printf("%s %s (%s)\n", name, version, openblas_get_corename());
  fflush(stdout);
  for (char line[64]; fgets(line, sizeof line, stdin);) {
    printf("%f\n", measure(m, n, k, trans_a, trans_b, a, b, c));
    fflush(stdout);
  }
}

"""The update rules of the ten training steps, each with global-norm clipping before it, in float64."""

import torch

# In this order they are also the tensors hyperparameters.NAME.
HYPERPARAMETERS = {
    "adamw": dict(learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01, bias_correction=True,
                  max_grad_norm=1.0),
    "adamw_google": dict(learning_rate=3e-4, beta1=0.9, beta2=0.999, epsilon=1e-6, weight_decay=0.01,
                         bias_correction=False, max_grad_norm=1.0),
    "lamb": dict(learning_rate=4e-3, beta1=0.9, beta2=0.999, epsilon=1e-6, weight_decay=0.01, bias_correction=False,
                 max_grad_norm=1.0),
}


def decayed(name):
    """Google's rule: everything but what is called LayerNorm, layer_norm or bias."""
    return not any(part in name for part in ("LayerNorm", "layer_norm", "bias"))


class AdamW:
    """torch.optim.AdamW and torch.nn.utils.clip_grad_norm_, which scales by max/(norm + 1e-6) where that is below 1."""

    def __init__(self, parameters, h):
        assert all(decayed(name) == (p.dim() > 1) for name, p in parameters.items())
        self.parameters, self.max_grad_norm = list(parameters.values()), h["max_grad_norm"]
        self.optimizer = torch.optim.AdamW(
            [
                dict(params=[p for n, p in parameters.items() if decayed(n)], weight_decay=h["weight_decay"]),
                dict(params=[p for n, p in parameters.items() if not decayed(n)], weight_decay=0.0),
            ],
            lr=h["learning_rate"], betas=(h["beta1"], h["beta2"]), eps=h["epsilon"])

    def step(self):
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.max_grad_norm)
        self.optimizer.step()
        return norm.item()


class Google:
    """The rule of google-research/albert: w -= learning_rate · ratio · (m/(√v + ε) + decay·w), m and v uncorrected.

    optimization.py's AdamWeightDecayOptimizer has ratio 1; lamb_optimizer.py has ‖w‖/‖m/(√v + ε) + decay·w‖ for the
    tensors that are decayed, where both norms are positive. Clipping is tf.clip_by_global_norm: max/norm above max.
    """

    def __init__(self, parameters, h, lamb):
        self.parameters, self.h, self.lamb = parameters, h, lamb
        self.m = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.v = {name: torch.zeros_like(p) for name, p in parameters.items()}

    @torch.no_grad()
    def step(self):
        h = self.h
        norm = torch.sqrt(sum((p.grad**2).sum() for p in self.parameters.values()))
        scale = torch.clamp(h["max_grad_norm"] / norm, max=1.0)
        for name, w in self.parameters.items():
            gradient, m, v = w.grad * scale, self.m[name], self.v[name]
            m.copy_(h["beta1"] * m + (1 - h["beta1"]) * gradient)
            v.copy_(h["beta2"] * v + (1 - h["beta2"]) * gradient**2)
            update, ratio = m / (v.sqrt() + h["epsilon"]), 1.0
            if decayed(name):
                update = update + h["weight_decay"] * w
                if self.lamb and w.norm() > 0 and update.norm() > 0:
                    ratio = w.norm() / update.norm()
            w.sub_(h["learning_rate"] * ratio * update)
        return norm.item()


RULES = {
    "adamw": AdamW,
    "adamw_google": lambda parameters, h: Google(parameters, h, lamb=False),
    "lamb": lambda parameters, h: Google(parameters, h, lamb=True),
}

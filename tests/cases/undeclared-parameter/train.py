import valohai

rate = valohai.parameters("rate").value
epochs = valohai.parameters("epochs").value
seed = valohai.parameters("seed", 7).value

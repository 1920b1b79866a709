import valohai


def images():
    return valohai.inputs("images").path()
